/** Batches of OpenAI's API. They are the batches of every other way in: one may begin one here. */

import { findBatch, findBatchPlace, readBatchPage } from '../../app/batch-page.ts';
import type { Caller } from '../../app/caller.ts';
import { cancelBatch } from '../../app/cancel.ts';
import { retryBatch } from '../../app/retry.ts';
import { fileSource } from '../../app/source.ts';
import { submitChecked } from '../../app/submit.ts';
import { AppError, BadUserInput } from '../../core/errors.ts';
import { readBatchInputs } from '../../db/batch-inputs.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import { findOperation } from '../../operations/index.ts';
import { type ApiRoute, sendJson } from '../http/api-routes.ts';
import type { DialectServices } from '../http/dialect-face.ts';
import { readJsonBody } from '../http/json-body.ts';
import { RouteError } from '../http/route-error.ts';
import { whenGone } from '../http/when-gone.ts';
import { badField } from './bad-field.ts';
import { readBatchRequest, readIdempotencyKey } from './batch-fields.ts';
import { describeBatch } from './batch-object.ts';
import { queryNumber } from './query-number.ts';

export const maxListedBatches = 100;
export const defaultListedBatches = 20;
export const maxBodyBytes = 1_048_576;

export function batchRoutes(services: DialectServices): ApiRoute[] {
  const { line, modelsOf } = services;
  const callerOf = ({ owner, asking }: Pick<Caller, 'owner' | 'asking'>): Caller => ({
    ...services,
    ...modelsOf(owner),
    db: line.of(owner).db,
    owner,
    asking,
  });

  return [
    {
      path: /^\/v1\/batches$/,
      methods: {
        async POST({ request, response, owner, asking }) {
          const caller = callerOf({ owner, asking });
          const body = await readJsonBody(request, { maxBytes: maxBodyBytes });
          const key = readIdempotencyKey(request.headers['idempotency-key']);
          const id = await createBatch(caller, body, key);
          sendJson(response, await describe(caller, await find(caller, id)));
        },
        async GET({ response, owner, url }) {
          const db = line.reads(owner, whenGone(response));
          sendJson(response, await listPage({ db, owner }, url.searchParams));
        },
      },
    },
    {
      path: /^\/v1\/batches\/([^/]+)$/,
      methods: {
        async GET({ response, owner, params: [id = ''] }) {
          const access = { db: line.reads(owner, whenGone(response)), owner };
          sendJson(response, await describe(access, await find(access, id)));
        },
      },
    },
    {
      path: /^\/v1\/batches\/([^/]+)\/cancel$/,
      methods: {
        async POST({ response, owner, asking, params: [given = ''] }) {
          const caller = callerOf({ owner, asking });
          const { id } = await find(caller, given);
          await cancelBatch(caller, owner, id);
          sendJson(response, await describe(caller, await find(caller, id)));
        },
      },
    },
    {
      path: /^\/v1\/batches\/([^/]+)\/retry$/,
      methods: {
        async POST({ response, owner, asking, params: [given = ''] }) {
          const caller = callerOf({ owner, asking });
          const { id } = await find(caller, given);
          await retryBatch(caller, { owner, id });
          sendJson(response, await describe(caller, await find(caller, id)));
        },
      },
    },
  ];
}

type Access = Pick<Caller, 'db' | 'owner'>;

async function find({ db, owner }: Access, given: string): Promise<BatchRecord> {
  const batch = await findBatch(db, owner, given);
  if (batch) return batch;
  throw new RouteError(404, 'NOT_FOUND', 'There is no batch with this id', {
    details: { param: 'id' },
  });
}

async function describe({ db }: { db: Database }, batch: BatchRecord): Promise<object> {
  const inputs = await readBatchInputs(db, [batch]);
  return describeBatch(batch, inputs.get(batch.fileKey));
}

async function listPage({ db, owner }: Access, query: URLSearchParams): Promise<object> {
  const range = { min: 1, max: maxListedBatches };
  const limit = queryNumber(query, 'limit', range) ?? defaultListedBatches;
  const afterKey = await placeOf({ db, owner }, query.get('after'));
  const { batches, hasMore } = await readBatchPage(db, owner, { limit, afterKey });
  const inputs = await readBatchInputs(db, batches);
  return {
    object: 'list',
    data: batches.map((batch) => describeBatch(batch, inputs.get(batch.fileKey))),
    first_id: batches[0]?.id ?? null,
    last_id: batches.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}

async function placeOf({ db, owner }: Access, after: string | null): Promise<bigint | undefined> {
  if (after === null) return undefined;
  const place = await findBatchPlace(db, owner, after);
  if (place !== null) return place;
  throw badField('after', 'after must be the id of a batch');
}

/** Submits the batch that a body asks for, and returns its id. */
async function createBatch(
  caller: Caller,
  body: Record<string, unknown>,
  idempotencyKey: string | null,
): Promise<string> {
  const { fileId, ...fields } = readBatchRequest(body);
  try {
    return await submitChecked(caller, {
      operation: 'chat',
      options: findOperation('chat')?.params.parse({}) as Record<string, unknown>,
      optionsPath: '',
      source: await fileSource(fileId, caller),
      sourcePath: 'input_file_id',
      fields: { ...fields, idempotencyKey },
      fieldsPath: '',
      failsInvalidFile: true,
      bareNamesOf: 'openai',
    });
  } catch (error) {
    throw asField(error);
  }
}

/** The fault of a submit, in the names that the fields have here. */
function asField(error: unknown): unknown {
  if (error instanceof BadUserInput) {
    const [issue] = error.issues;
    if (!issue) return error;
    const param = issue.path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return badField(param, `${param} ${issue.message}`);
  }
  if (error instanceof AppError && error.code === 'NOT_FOUND') {
    return badField('input_file_id', 'input_file_id must be the id of a file');
  }
  return error;
}
