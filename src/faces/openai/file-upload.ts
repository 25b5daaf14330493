/** `POST /v1/files`: a form with a file of requests, whose fields come in any order. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Limits } from '../../core/limits.ts';
import type { RequestAccess } from '../../db/driver/request-line.ts';
import type { FileRecord } from '../../db/files.ts';
import { UploadRefused } from '../../files/ingest.ts';
import { requestFileLimits } from '../../files/read/limits.ts';
import { type Ingested, ingestFile } from '../../files/upload.ts';
import type { Telling } from '../../telemetry/events.ts';
import { maxFields, maxFormBytes, readForm } from '../http/form.ts';
import { letRunOut, received } from '../http/received.ts';
import { badInput, ClientGone } from '../http/route-error.ts';
import { checkUploadHeaders, isForm, uploadTooLarge } from '../http/upload-headers.ts';
import { badField, missingField } from './bad-field.ts';

export const minExpirySeconds = 3_600;
export const maxExpirySeconds = 2_592_000;
const { fileBytes } = requestFileLimits;
const servedPurpose = 'batch';
const anchorField = 'expires_after[anchor]';
const secondsField = 'expires_after[seconds]';

interface FileStorage {
  access: RequestAccess;
  owner: string;
  ownerLimits: Limits | null;
  events: Telling;
}

type Fields = ReadonlyMap<string, string>;

/**
 * Stores the file of the form. Throws RouteError 400, 408, 411, 413 or 415, and UploadRefused for
 * a file over the limits: then nothing is stored.
 */
export async function receiveFile(
  request: IncomingMessage,
  { isGone, ...storage }: FileStorage & { isGone: () => boolean },
): Promise<FileRecord> {
  try {
    checkUploadHeaders(request, fileBytes);
    if (!isForm(request)) throw badInput('The body must be a form: multipart/form-data');
    const { ingested, fields } = await receiveForm(request, storage);
    if (isGone()) {
      await ingested.discard();
      throw new ClientGone();
    }
    return await ingested.store({
      purpose: servedPurpose,
      expiresInSeconds: expiryOf(fields),
    });
  } catch (error) {
    letRunOut(request);
    const isUnreadable = error instanceof UploadRefused && error.kind !== 'too_large';
    throw isUnreadable ? badField('file', error.message) : error;
  }
}

async function receiveForm(
  request: IncomingMessage,
  { access, owner, ownerLimits, events }: FileStorage,
): Promise<{ ingested: Ingested; fields: Fields }> {
  const body = received(request, {
    maxBytes: fileBytes + maxFormBytes,
    tooLarge: () => uploadTooLarge(fileBytes),
  });
  const fields = new Map<string, string>();
  let hasFile = false;
  let ingested = null as Ingested | null;
  try {
    await readForm(request.headers['content-type'] ?? '', body, {
      maxParts: maxFields + 1,
      isFile: (field, fileName) => field === 'file' || fileName !== undefined,
      onField: (name, value) => keep(fields, name, value),
      async onFile({ field, fileName, bytes }) {
        if (field !== 'file') return await skip(bytes);
        if (hasFile) throw badField('file', 'The form must have one file');
        hasFile = true;
        // Wrong fields that have come already save the reading.
        if (fields.has('purpose')) checkPurpose(fields);
        ingested = await ingestFile({
          ...access,
          owner,
          ownerLimits,
          events,
          face: 'openai',
          source: bytes,
          name: fileName,
          contentType: null,
          options: {},
          areRequests: true,
          limits: requestFileLimits,
        });
      },
    });
    checkPurpose(fields);
    expiryOf(fields);
    if (!ingested) {
      throw missingField('file', 'The form must have the file in a part called file');
    }
    return { ingested, fields };
  } catch (error) {
    await ingested?.discard();
    throw error;
  }
}

/** Most characters of the fields that are read. What is longer is wrong, however it goes on. */
const maxKeptLength = 200;
const readFields = new Set(['purpose', anchorField, secondsField]);

/** Fields that nobody knows are ignored: 50 of 4 MB fit into a form. */
function keep(fields: Map<string, string>, name: string, value: string): void {
  if (readFields.has(name)) fields.set(name, value.slice(0, maxKeptLength));
}

/** Those too that are files. */
async function skip(bytes: Readable): Promise<void> {
  bytes.resume();
  await once(bytes, 'end');
}

function checkPurpose(fields: Fields): void {
  const purpose = fields.get('purpose');
  if (purpose === servedPurpose) return;
  if (purpose === undefined) {
    throw missingField('purpose', `The form must have a purpose, which is ${servedPurpose}`);
  }
  const shown = JSON.stringify(purpose.slice(0, 100));
  throw badField('purpose', `purpose must be ${servedPurpose}, not ${shown}`);
}

/** Null where the file is to stay. */
function expiryOf(fields: Fields): number | null {
  const anchor = fields.get(anchorField);
  const given = fields.get(secondsField);
  if (anchor === undefined && given === undefined) return null;
  if (anchor === undefined) throw missingField(anchorField, `${anchorField} must be created_at`);
  if (anchor !== 'created_at') throw badField(anchorField, `${anchorField} must be created_at`);
  const range = `${secondsField} must be a whole number from ${minExpirySeconds} to ${maxExpirySeconds}`;
  if (given === undefined) throw missingField(secondsField, range);
  const seconds = /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN;
  if (seconds >= minExpirySeconds && seconds <= maxExpirySeconds) return seconds;
  throw badField(secondsField, range);
}
