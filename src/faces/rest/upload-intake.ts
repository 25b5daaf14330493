/** Takes in the file of an upload: the body, or a part of a form with its other fields. */
import type { IncomingMessage } from 'node:http';
import { BadUserInput } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Copy } from '../../db/driver/copy.ts';
import { type ReadLimits, readLimits } from '../../files/read/limits.ts';
import { type Ingested, ingestFile } from '../../files/upload.ts';
import type { Telling } from '../../telemetry/events.ts';
import { maxFields, maxFormBytes, readForm } from '../http/form.ts';
import { type Patience, received } from '../http/received.ts';
import { badInput, RouteError } from '../http/route-error.ts';
import { isForm, uploadTooLarge } from '../http/upload-headers.ts';
import { checkEarlyFields, wantsBatch } from './batch-fields.ts';
import {
  addFields,
  checkLateFields,
  type FileFields,
  type FormFields,
  readOptions,
} from './file-fields.ts';

/** The name of the part that is the file. */
const filePart = 'file';

export interface IntakeServices {
  db: Database;
  copy: Copy;
  events: Telling;
  limitsOf(owner: string): Limits | null;
  limits?: ReadLimits;
  patience?: Patience;
}

interface Upload {
  request: IncomingMessage;
  services: IntakeServices;
  owner: string;
  /** The query's words about the file. */
  given: FileFields;
}

/** The file, and the fields of its form; null where the body is the file. Throws RouteError. */
export async function receiveUpload(
  upload: Upload,
): Promise<{ ingested: Ingested; fields: FormFields | null }> {
  if (isForm(upload.request)) return await receiveForm(upload);
  const { request, given } = upload;
  const contentType = request.headers['content-type'] ?? null;
  const file = { bytes: bodyOf(upload, 0), name: given.name ?? null, contentType };
  return { ingested: await ingest(upload, file, given), fields: null };
}

async function receiveForm(upload: Upload): Promise<{ ingested: Ingested; fields: FormFields }> {
  const { request, given } = upload;
  const fields = new Map<string, string[]>();
  let early: FileFields | null = null;
  let ingested = null as Ingested | null;
  try {
    await readForm(request.headers['content-type'] ?? '', bodyOf(upload, maxFormBytes), {
      maxParts: maxFields + 1,
      // curl -F 'file=<data.csv' sends the file without a name.
      isFile: (field, fileName) => field === filePart || fileName !== undefined,
      onField: (name, value) => fields.set(name, [...(fields.get(name) ?? []), value]),
      async onFile({ field, fileName, contentType, bytes }) {
        if (field !== filePart)
          throw badInput(`The part that holds the file is called ${filePart}`);
        if (early) throw badInput('The form has more than one file; send one at a time');
        early = addFields(given, fields);
        refuseEarly(fields);
        ingested = await ingest(
          upload,
          { bytes, name: given.name ?? fileName, contentType },
          early,
        );
      },
    });
    if (!ingested || !early) {
      throw badInput(`The form has no file: it stands in a part called ${filePart}`);
    }
    checkLateFields(early, addFields(given, fields), ingested.reading, wantsBatch(fields));
    return { ingested, fields };
  } catch (error) {
    await ingested?.discard();
    throw error;
  }
}

/** The body, of `besideBytes` more than a file may have. */
function bodyOf(
  { request, services: { limits = readLimits, patience } }: Upload,
  besideBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  const { fileBytes } = limits;
  return received(request, {
    maxBytes: fileBytes + besideBytes,
    tooLarge: () => uploadTooLarge(fileBytes),
    patience,
  });
}

function ingest(
  { owner, services: { db, copy, events, limitsOf, limits = readLimits } }: Upload,
  file: { bytes: AsyncIterable<Buffer>; name: string | null; contentType: string | null },
  fields: FileFields,
): Promise<Ingested> {
  const { bytes: source, name, contentType } = file;
  const options = readOptions(fields);
  return ingestFile({
    db,
    copy,
    owner,
    ownerLimits: limitsOf(owner),
    source,
    name,
    contentType,
    options,
    limits,
    events,
    face: 'rest',
  });
}

function refuseEarly(fields: FormFields): void {
  try {
    checkEarlyFields(fields);
  } catch (error) {
    if (!(error instanceof BadUserInput)) throw error;
    throw new RouteError(400, error.code, `The file was not read: ${error.message}`, {
      details: { issues: error.issues },
      cause: error,
    });
  }
}
