/** `POST /files`: a file as the body, or in a form that may ask for a batch over it in the same request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, BadUserInput, statusOf } from '../../core/errors.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Copy } from '../../db/driver/copy.ts';
import type { FileRecord } from '../../db/files.ts';
import type { Reading } from '../../files/read/file-reader.ts';
import { type ReadLimits, readLimits } from '../../files/read/limits.ts';
import { namesOf } from '../../files/row.ts';
import { type Ingested, ingestFile, UploadRefused } from '../../files/upload.ts';
import { letRunOut, type Patience, received } from '../http/received.ts';
import { RouteError } from '../http/route-error.ts';
import { type FormFields, maxFormBytes, readForm } from '../http/upload-form.ts';
import { checkEarlyFields } from './early-fields.ts';
import { readSubmission, type UploadSubmit, wantsBatch } from './submission-fields.ts';
import {
  checkLateFields,
  mergeFields,
  type Parameters,
  readOptions,
  readParameters,
} from './upload-parameters.ts';

export interface UploadServices {
  db: Database;
  copy: Copy;
  limits?: ReadLimits;
  patience?: Patience;
}

/**
 * Answers 201 with the file, and `batchId` and `started` where the form asked for a batch and
 * `submit` is there. Throws RouteError 400, 405, 408, 411, 413 or 415. Fields before the file are
 * judged before it is read; when the file is in but the batch is not, the error names the file.
 */
export async function answerUpload({
  request,
  response,
  services,
  owner,
  query,
  submit,
}: {
  request: IncomingMessage;
  response: ServerResponse;
  services: UploadServices;
  owner: string;
  query: URLSearchParams;
  submit?: UploadSubmit | undefined;
}): Promise<void> {
  try {
    checkHeaders(request, response, services.limits ?? readLimits);
    const parameters = readParameters(query);
    const { ingested, fields } = isForm(request)
      ? await receiveForm({ request, services, owner, parameters, submit })
      : { ingested: await receiveBody(request, services, owner, parameters), fields: null };
    if (response.destroyed) {
      await ingested.discard();
      return;
    }
    const asksForBatch = fields !== null && wantsBatch(fields);
    const file = await ingested.store(asksForBatch ? undefined : fields?.get('name')?.[0]);
    const begun = asksForBatch ? await submitOver(file, fields, submit) : null;
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
  { db, copy, limits = readLimits, patience }: UploadServices,
  owner: string,
  parameters: Parameters,
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
    name: parameters.name ?? null,
    contentType: request.headers['content-type'] ?? null,
    options: readOptions(parameters),
    limits,
  });
}

async function receiveForm({
  request,
  services: { db, copy, limits = readLimits, patience },
  owner,
  parameters,
  submit,
}: {
  request: IncomingMessage;
  services: UploadServices;
  owner: string;
  parameters: Parameters;
  submit: UploadSubmit | undefined;
}): Promise<{ ingested: Ingested; fields: FormFields }> {
  const { fileBytes } = limits;
  const body = received(request, {
    maxBytes: fileBytes + maxFormBytes,
    tooLarge: () => tooLarge(fileBytes),
    patience,
  });
  let early: Parameters = {};
  const { result, fields } = await readForm(request.headers['content-type'] ?? '', body, {
    take: async (file) => {
      early = mergeFields(parameters, file.fields);
      if (submit) checkEarlyFields(file.fields, submit);
      return await ingestFile({
        db,
        copy,
        owner,
        source: file.source,
        name: parameters.name ?? file.name,
        contentType: file.contentType,
        options: readOptions(early),
        limits,
      });
    },
    undo: (ingested) => ingested.discard(),
  });
  try {
    checkLateFields(early, mergeFields(parameters, fields), result.reading, wantsBatch(fields));
  } catch (error) {
    await result.discard();
    throw error;
  }
  return { ingested: result, fields };
}

async function submitOver(
  file: FileRecord,
  fields: FormFields,
  submit: UploadSubmit | undefined,
): Promise<BegunBatch | null> {
  if (!submit) return null;
  try {
    const { submission, startsAnyway } = readSubmission(fields, submit);
    const { contentField, customIdField, autoStart } = submission.batch;
    // Nobody has seen yet what was refused, and what is left may not be worth paying for.
    const waits = file.rejectedCount > 0 && !startsAnyway;
    if (waits) submission.batch.autoStart = false;
    // What the file has anyway need not be said again.
    if (contentField === file.contentField) delete submission.batch.contentField;
    if ((customIdField ?? '') === (file.customIdField ?? '')) delete submission.batch.customIdField;
    const batchId = await submit.submit(file.id, submission);
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
