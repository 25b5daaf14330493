import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BatchRecord, readBatch } from '../db/batches.ts';
import type { Database } from '../db/client.ts';
import type { ItemStatus } from '../db/items.ts';
import { isId } from '../ids.ts';
import type { PreparedOperation } from '../operations/operation.ts';
import {
  type OutputFormat,
  type OutputRequest,
  outputFormats,
  outputWriter,
  writeOutput,
} from './output.ts';
import { RouteError } from './route-error.ts';

const statuses = new Map<string, ItemStatus>(
  (['PENDING', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const).map(
    (status) => [status.toLowerCase(), status],
  ),
);
const knownParameters = new Set(['format', 'status', 'include', 'after']);

/** `GET /batches/{id}/output`: streamed in input order, at the reader's pace, at any time. */
export async function answerOutput({
  request,
  response,
  db,
  operationOf,
  owner,
  batchId,
  query,
}: {
  request: IncomingMessage;
  response: ServerResponse;
  db: Database;
  operationOf: (batch: BatchRecord) => PreparedOperation;
  owner: string;
  batchId: string;
  query: URLSearchParams;
}): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    throw new RouteError(405, 'METHOD_NOT_ALLOWED', 'The output can only be read: GET');
  }
  const batch = isId('batch', batchId) ? await readBatch(db, owner, batchId) : null;
  if (!batch) throw new RouteError(404, 'NOT_FOUND', 'There is no batch with this id');
  const wanted = readQuery(query);
  const writer = await outputWriter(db, batch, operationOf(batch), wanted);
  response.writeHead(200, {
    'content-type': writer.contentType,
    'content-disposition': `attachment; filename="${batch.id}.${extension(wanted.format)}"`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(Readable.from(writeOutput(db, batch, writer, wanted)), response);
}

/** `openai_jsonl` is JSONL to whoever opens it. */
function extension(format: OutputFormat): string {
  return format === 'openai_jsonl' ? 'jsonl' : format;
}

function readQuery(query: URLSearchParams): OutputRequest {
  for (const name of new Set(query.keys())) {
    if (!knownParameters.has(name)) {
      throw bad(`${name} is unknown; known are ${[...knownParameters].join(', ')}`);
    }
    if (query.getAll(name).length > 1) throw bad(`${name} is given more than once`);
  }
  const format = query.get('format') ?? 'jsonl';
  if (!isFormat(format)) throw bad(`format is one of ${outputFormats.join(', ')}`);
  const include = query.get('include');
  if (include !== null && include !== 'input') throw bad('include can only be input');
  const after = query.get('after') ?? '-1';
  if (!/^(-1|0|[1-9][0-9]{0,8})$/.test(after)) throw bad('after is the index of an item');
  return {
    format,
    status: query.get('status')?.split(',').map(toStatus),
    includeInput: include === 'input',
    afterIndex: Number(after),
  };
}

function isFormat(format: string): format is OutputFormat {
  return (outputFormats as readonly string[]).includes(format);
}

function toStatus(name: string): ItemStatus {
  const status = statuses.get(name.trim());
  if (!status) throw bad(`status is a comma-separated list of ${[...statuses.keys()].join(', ')}`);
  return status;
}

function bad(message: string): RouteError {
  return new RouteError(400, 'BAD_USER_INPUT', message);
}
