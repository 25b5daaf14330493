/** `POST /files`: a file as the body, or in a form that may ask for a batch over it too. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, BadUserInput, LimitExceeded, statusOf } from '../../core/errors.ts';
import type { FileRecord } from '../../db/files.ts';
import { markLeft } from '../../db/retention.ts';
import { UploadRefused } from '../../files/ingest.ts';
import type { Reading } from '../../files/read/file-reader.ts';
import { readLimits } from '../../files/read/limits.ts';
import { namesOf } from '../../files/row.ts';
import { letRunOut } from '../http/received.ts';
import { RouteError, routeErrorOf } from '../http/route-error.ts';
import { checkUploadHeaders } from '../http/upload-headers.ts';
import { readSubmission, type UploadSubmission, wantsBatch } from './batch-fields.ts';
import { type FormFields, readQuery } from './file-fields.ts';
import { type IntakeServices, receiveUpload } from './upload-intake.ts';

export interface UploadServices extends IntakeServices {
  /** Submits a batch over a file, and returns its id. Throws AppError. */
  submit(fileId: string, submission: UploadSubmission): Promise<string>;
  /** Deletes a file whose batch is more than a limit of its owner leaves. */
  discard(fileId: string): Promise<void>;
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
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      throw new RouteError(405, 'METHOD_NOT_ALLOWED', 'Files are uploaded: POST');
    }
    checkUploadHeaders(request, (services.limits ?? readLimits).fileBytes);
    const upload = { request, services, owner, given: readQuery(query) };
    const { ingested, fields } = await receiveUpload(upload);
    if (response.destroyed) {
      await ingested.discard();
      return;
    }
    const asksForBatch = fields !== null && wantsBatch(fields);
    const file = await ingested.store({
      name: asksForBatch ? undefined : fields?.get('name')?.[0],
    });
    const begun = asksForBatch ? await submitOver(file, fields, services) : null;
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

async function submitOver(
  file: FileRecord,
  fields: FormFields,
  { db, submit, discard }: UploadServices,
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
    // What is wrong here is told, and not that the file could not be marked.
    await markLeft(db, file.id).catch(() => undefined);
    if (!(error instanceof AppError)) throw error;
    if (error instanceof LimitExceeded) {
      await discard(file.id);
      throw error;
    }
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
    return routeErrorOf(error, { cause: error });
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
