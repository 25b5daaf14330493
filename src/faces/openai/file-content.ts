/** `GET /v1/files/{id}/content`: lines of a file, or of the output of a batch, as they are now. */
import type { ServerResponse } from 'node:http';
import { operationOf } from '../../app/stored-operation.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { RequestAccess } from '../../db/driver/request-line.ts';
import type { FileRecord } from '../../db/files.ts';
import { isFinal } from '../../db/final-status.ts';
import { findLine, hasOutput, type OutputKind, readBeginning } from '../../db/output-files.ts';
import { openAiWriter, writeOutput } from '../../files/write/output.ts';
import { writeRows } from '../../files/write/rows.ts';
import { sendBytes } from '../http/send-bytes.ts';
import { outputFileName } from './file-object.ts';

/** Answers with the lines of an uploaded file, behind `offset` of them. */
export async function sendFile(
  response: ServerResponse,
  { access, file, offset }: { access: RequestAccess; file: FileRecord; offset: number },
): Promise<void> {
  response.writeHead(200, headersOf('application/octet-stream', `${file.id}.jsonl`));
  await sendBytes(response, writeRows(access.copy, file, offset));
}

/**
 * Answers with the lines of an output behind `offset` of them. Of a running batch they are those up
 * to the first item without an answer, and `x-last-line` says where to go on. False where there is
 * none.
 */
export async function sendOutput(
  response: ServerResponse,
  { access, batch, kind, offset }: OutputPart & { access: RequestAccess },
): Promise<boolean> {
  const isWhole = isFinal(batch.status);
  if (isWhole && !hasOutput(batch, kind)) return false;
  const { sql } = access.db;
  const beginning = isWhole ? null : await readBeginning(sql, batch.key);
  const end = beginning?.end ?? batch.total;
  const first = offset === 0 ? 0 : ((await findLine(sql, batch.key, { kind, offset })) ?? end);
  const writer = await openAiWriter(access.db, batch, operationOf(batch));
  response.writeHead(200, {
    ...headersOf('application/x-ndjson', outputFileName(batch.id, kind)),
    ...(beginning ? { 'x-incomplete': 'true', 'x-last-line': String(beginning.lines[kind]) } : {}),
  });
  const status = kind === 'output' ? (['SUCCEEDED'] as const) : unsuccessful;
  const range = { status, afterIndex: first - 1, lastIndex: end - 1 };
  await sendBytes(response, writeOutput(access, batch, writer, range));
  return true;
}

interface OutputPart {
  batch: BatchRecord;
  kind: OutputKind;
  offset: number;
}

const unsuccessful = ['FAILED', 'EXPIRED', 'CANCELLED'] as const;

function headersOf(contentType: string, fileName: string) {
  return {
    'content-type': contentType,
    'content-disposition': `attachment; filename="${fileName}"`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}
