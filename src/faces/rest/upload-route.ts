/** `POST /files`: a file as the body, or in a form that may ask for a batch over it too. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, BadUserInput, statusOf } from '../../core/errors.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Copy } from '../../db/driver/copy.ts';
import type { FileRecord } from '../../db/files.ts';
import type { Reading } from '../../files/read/file-reader.ts';
import { type ReadLimits, readLimits } from '../../files/read/limits.ts';
import { namesOf } from '../../files/row.ts';
import { type Ingested, ingestFile, UploadRefused } from '../../files/upload.ts';
import type { Telling } from '../../telemetry/events.ts';
import { readForm } from '../http/form.ts';
import { letRunOut, type Patience, received } from '../http/received.ts';
import { badInput, RouteError } from '../http/route-error.ts';
import {
  checkEarlyFields,
  readSubmission,
  type UploadSubmission,
  wantsBatch,
} from './batch-fields.ts';
import {
  addFields,
  checkLateFields,
  type FileFields,
  type FormFields,
  readOptions,
  readQuery,
} from './file-fields.ts';

/** The name of the part that is the file. */
const filePart = 'file';
export const maxFields = 200;
/** What a form may hold beside the file. */
export const maxFormBytes = 8_388_608;

export interface UploadServices {
  db: Database;
  copy: Copy;
  events: Telling;
  limits?: ReadLimits;
  patience?: Patience;
  /** Submits a batch over a file, and returns its id. Throws AppError. */
  submit(fileId: string, submission: UploadSubmission): Promise<string>;
}

/**
 * Answers 201 with the file, and `batchId` and `started` where the form asked for a batch. Throws
 * RouteError 400, 405, 408, 411, 413 or 415. Fields before the file are judged before it is read;
 * when the file is in but the batch is not, the error names the file.
 */
export async function answerUpload({
  request,
  response,
  services,
  owner,
  query,
}: {
  request: IncomingMessage;
  response: ServerResponse;
  services: UploadServices;
  owner: string;
  query: URLSearchParams;
}): Promise<void> {
  try {
    checkHeaders(request, response, services.limits ?? readLimits);
    const given = readQuery(query);
    const { ingested, fields } = isForm(request)
      ? await receiveForm(request, services, owner, given)
      : { ingested: await receiveBody(request, services, owner, given), fields: null };
    if (response.destroyed) {
      await ingested.discard();
      return;
    }
    const asksForBatch = fields !== null && wantsBatch(fields);
    const file = await ingested.store(asksForBatch ? undefined : fields?.get('name')?.[0]);
    const begun = asksForBatch ? await submitOver(file, fields, services.submit) : null;
    response
      .writeHead(201, {
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        location: `/files/${file.id}`,
      })
      .end(`${JSON.stringify(describe(file, ingested.reading, begun))}\n`);
  } catch (error) {
    letRunOut(request);
    throw presented(error);
  }
}

function checkHeaders(
  request: IncomingMessage,
  response: ServerResponse,
  { fileBytes }: ReadLimits,
): void {
  const { method, headers } = request;
  if (method !== 'POST') {
    response.setHeader('allow', 'POST');
    throw new RouteError(405, 'METHOD_NOT_ALLOWED', 'Files are uploaded: POST');
  }
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (coding !== 'identity' && coding !== '') {
    throw new RouteError(
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'The body is compressed (Content-Encoding); send it as it is',
    );
  }
  const length = headers['content-length'];
  if (length === undefined && headers['transfer-encoding'] === undefined) {
    throw new RouteError(
      411,
      'LENGTH_REQUIRED',
      'The request has no body: send the file with a Content-Length, or chunked',
    );
  }
  if (Number(length) > fileBytes + (isForm(request) ? maxFormBytes : 0)) throw tooLarge(fileBytes);
}

function isForm({ headers }: IncomingMessage): boolean {
  return /^\s*multipart\/form-data\b/i.test(headers['content-type'] ?? '');
}

async function receiveBody(
  request: IncomingMessage,
  { db, copy, events, limits = readLimits, patience }: UploadServices,
  owner: string,
  given: FileFields,
): Promise<Ingested> {
  const { fileBytes } = limits;
  return await ingestFile({
    db,
    copy,
    owner,
    source: received(request, {
      maxBytes: fileBytes,
      tooLarge: () => tooLarge(fileBytes),
      patience,
    }),
    name: given.name ?? null,
    contentType: request.headers['content-type'] ?? null,
    options: readOptions(given),
    limits,
    events,
  });
}

async function receiveForm(
  request: IncomingMessage,
  { db, copy, events, limits = readLimits, patience }: UploadServices,
  owner: string,
  given: FileFields,
): Promise<{ ingested: Ingested; fields: FormFields }> {
  const { fileBytes } = limits;
  const body = received(request, {
    maxBytes: fileBytes + maxFormBytes,
    tooLarge: () => tooLarge(fileBytes),
    patience,
  });
  const fields = new Map<string, string[]>();
  let early: FileFields | null = null;
  let ingested = null as Ingested | null;
  try {
    await readForm(request.headers['content-type'] ?? '', body, {
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
        ingested = await ingestFile({
          db,
          copy,
          owner,
          source: bytes,
          name: given.name ?? fileName,
          contentType,
          options: readOptions(early),
          limits,
          events,
        });
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

async function submitOver(
  file: FileRecord,
  fields: FormFields,
  submit: UploadServices['submit'],
): Promise<BegunBatch> {
  try {
    const { submission, startsAnyway } = readSubmission(fields);
    const { contentField, customIdField, autoStart } = submission.batch;
    // Nobody has seen yet what was refused, and what is left may not be worth paying for.
    const waits = file.rejectedCount > 0 && !startsAnyway;
    if (waits) submission.batch.autoStart = false;
    // What the file has anyway need not be said again.
    if (contentField === file.contentField) delete submission.batch.contentField;
    if ((customIdField ?? '') === (file.customIdField ?? '')) delete submission.batch.customIdField;
    const batchId = await submit(file.id, submission);
    return {
      batchId,
      started: submission.batch.autoStart ?? true,
      warning: waits && autoStart !== false ? draftWarning(batchId, file.rejectedCount) : null,
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new RouteError(
      statusOf(error.code),
      error.code,
      `The file is stored as ${file.id}, but no batch was submitted: ${error.message}`,
      {
        details: {
          fileId: file.id,
          ...(error instanceof BadUserInput ? { issues: error.issues } : {}),
        },
        cause: error,
      },
    );
  }
}

interface BegunBatch {
  batchId: string;
  /** False: it waits as a DRAFT. */
  started: boolean;
  /** Why it does where nobody asked for that. */
  warning: string | null;
}

function draftWarning(batchId: string, rejectedCount: number): string {
  const rows =
    rejectedCount === 1 ? '1 row was' : `${rejectedCount.toLocaleString('en')} rows were`;
  return `${rows} refused, so the batch waits as a DRAFT: startBatch(id: "${batchId}") runs it over the others, and a form with onRejected=continue starts at once`;
}

function describe(file: FileRecord, reading: Reading, begun: BegunBatch | null) {
  const columns = JSON.parse(file.columns) as string[];
  return {
    id: file.id,
    name: file.name,
    format: file.format,
    sizeBytes: file.sizeBytes,
    itemCount: file.itemCount,
    columns: namesOf({ format: file.format, columns }),
    contentField: file.contentField,
    customIdField: file.customIdField,
    rejectedCount: file.rejectedCount,
    rejections: reading.rejections,
    blankCount: file.blankCount,
    encoding: file.encoding,
    warnings: [
      ...(JSON.parse(file.warnings) as string[]),
      ...(begun?.warning ? [begun.warning] : []),
    ],
    ...(begun ? { batchId: begun.batchId, started: begun.started } : {}),
  };
}

/** Refusals as answers; everything else is not for the client. */
function presented(error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  if (!(error instanceof UploadRefused)) {
    return new RouteError(statusOf(error.code), error.code, error.message, { cause: error });
  }
  switch (error.kind) {
    case 'invalid':
      return new RouteError(400, 'BAD_USER_INPUT', error.message, { cause: error });
    case 'too_large':
      return new RouteError(413, 'PAYLOAD_TOO_LARGE', error.message, { cause: error });
    case 'unsupported':
      return new RouteError(415, 'UNSUPPORTED_MEDIA_TYPE', error.message, { cause: error });
  }
}

function tooLarge(fileBytes: number): RouteError {
  return new RouteError(
    413,
    'PAYLOAD_TOO_LARGE',
    `The file has more than ${fileBytes.toLocaleString('en')} bytes; split it`,
  );
}
