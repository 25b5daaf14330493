/** `/v1/messages/batches`: every batch of the owner is a message batch here, of any face. */

import type { IncomingMessage } from 'node:http';
import { findBatch } from '../../app/batch-page.ts';
import type { Caller } from '../../app/caller.ts';
import { cancelBatch } from '../../app/cancel.ts';
import { deleteBatch } from '../../app/delete.ts';
import { operationOf } from '../../app/stored-operation.ts';
import { submitMessages } from '../../app/submit-messages.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import { isFinal } from '../../db/final-status.ts';
import { messageResultsWriter, writeOutput } from '../../files/write/output.ts';
import { type ApiRoute, sendJson } from '../http/api-routes.ts';
import { refuseCompressed } from '../http/compressed.ts';
import type { DialectServices } from '../http/dialect-face.ts';
import { letRunOut, received } from '../http/received.ts';
import { badInput, RouteError } from '../http/route-error.ts';
import { sendBytes } from '../http/send-bytes.ts';
import { listPage } from './batch-list.ts';
import { describeBatch, messageBatchId } from './batch-object.ts';

export const maxBodyBytes = 268_435_456;

/** `publicUrl` begins the addresses of results; null: the address that was asked does. */
export function batchRoutes(services: DialectServices, publicUrl: string | null): ApiRoute[] {
  const { line, modelsOf } = services;
  const callerOf = ({ owner, asking }: Pick<Caller, 'owner' | 'asking'>) => ({
    ...services,
    ...modelsOf(owner),
    ...line.of(owner),
    owner,
    asking,
  });
  const baseOf = (url: URL) => publicUrl ?? url.origin;
  return [
    {
      path: /^\/v1\/messages\/batches$/,
      methods: {
        async POST({ request, response, owner, asking, url }) {
          const caller = callerOf({ owner, asking });
          const id = await submitMessages(caller, {
            source: bodyOf(request),
            idempotencyKey: headerOf(request, 'idempotency-key'),
          });
          const batch = await find(caller, id);
          sendJson(response, describeBatch(batch, baseOf(url)));
        },
        async GET({ response, owner, url }) {
          const { db } = line.of(owner);
          const { batches, hasMore } = await listPage(db, owner, url.searchParams);
          const [first, last] = [batches.at(0), batches.at(-1)];
          sendJson(response, {
            data: batches.map((batch) => describeBatch(batch, baseOf(url))),
            has_more: hasMore,
            first_id: first ? messageBatchId(first) : null,
            last_id: last ? messageBatchId(last) : null,
          });
        },
      },
    },
    {
      path: /^\/v1\/messages\/batches\/([^/]+)$/,
      methods: {
        async GET({ response, owner, asking, url, params: [id = ''] }) {
          const batch = await find(callerOf({ owner, asking }), id);
          sendJson(response, describeBatch(batch, baseOf(url)));
        },
        async DELETE({ response, owner, asking, params: [id = ''] }) {
          const caller = callerOf({ owner, asking });
          const batch = await find(caller, id);
          if (!isFinal(batch.status)) {
            throw badInput('The message batch must have ended before it is deleted; cancel it');
          }
          await deleteBatch(caller, owner, batch.id);
          sendJson(response, { id: messageBatchId(batch), type: 'message_batch_deleted' });
        },
      },
    },
    {
      path: /^\/v1\/messages\/batches\/([^/]+)\/cancel$/,
      methods: {
        async POST({ request, response, owner, asking, url, params: [id = ''] }) {
          letRunOut(request);
          const caller = callerOf({ owner, asking });
          const { id: batchId } = await find(caller, id);
          await cancelBatch(caller, owner, batchId);
          sendJson(response, describeBatch(await find(caller, batchId), baseOf(url)));
        },
      },
    },
    {
      path: /^\/v1\/messages\/batches\/([^/]+)\/results$/,
      methods: {
        async GET({ response, owner, params: [id = ''] }) {
          const access = line.of(owner);
          const batch = await find({ ...access, owner }, id);
          if (!isFinal(batch.status)) {
            throw new RouteError(404, 'NOT_FOUND', 'The message batch must have ended first');
          }
          if (batch.contentDeletedAt !== null) {
            const at = batch.contentDeletedAt.toISOString();
            throw new RouteError(404, 'NOT_FOUND', `The results were deleted at ${at}`);
          }
          const writer = await messageResultsWriter(access.db, batch, operationOf(batch));
          response.writeHead(200, {
            'content-type': writer.contentType,
            'content-disposition': `attachment; filename="${messageBatchId(batch)}_results.jsonl"`,
            'cache-control': 'no-store',
            'x-content-type-options': 'nosniff',
          });
          await sendBytes(
            response,
            writeOutput(access, batch, writer, {
              status: undefined,
              afterIndex: -1,
            }),
          );
        },
      },
    },
  ];
}

/** Throws RouteError 404. */
async function find(
  { db, owner }: { db: Database; owner: string },
  id: string,
): Promise<BatchRecord> {
  const batch = await findBatch(db, owner, id);
  if (batch) return batch;
  throw new RouteError(404, 'NOT_FOUND', 'There is no message batch with this id');
}

/** Throws RouteError 408, 413 or 415. */
function bodyOf(request: IncomingMessage): AsyncIterable<Buffer> {
  refuseCompressed(request);
  if (Number(request.headers['content-length']) > maxBodyBytes) throw tooLarge();
  return received(request, { maxBytes: maxBodyBytes, tooLarge });
}

function tooLarge(): RouteError {
  const bytes = maxBodyBytes.toLocaleString('en');
  return new RouteError(413, 'PAYLOAD_TOO_LARGE', `The body must have at most ${bytes} bytes`);
}

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}
