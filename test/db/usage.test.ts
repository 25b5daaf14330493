/** What answers used, in every statement that adds it up: a batch is the sum of its items. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noUsage, totalUsage, type Usage } from '../../src/core/usage.ts';
import { readBatchByKey } from '../../src/db/batches.ts';
import { CopyBuffer } from '../../src/db/copy-buffer.ts';
import { type Copy, openCopy } from '../../src/db/driver/copy.ts';
import { finishChunks } from '../../src/db/finish-chunks.ts';
import { itemsIn, readItemRange } from '../../src/db/item-export.ts';
import { listItems } from '../../src/db/items.ts';
import { retryItems } from '../../src/db/retries.ts';
import { usageOf, usageOfBatch, wasNeverAsked } from '../../src/db/usage.ts';
import { openTestDatabase } from '../support/database.ts';
import {
  claimOf,
  enterWorker,
  failed,
  insertBatch,
  readId,
  recordAnswers,
  succeeded,
} from './queue.ts';

const { db, url } = await openTestDatabase({ maxConnections: 4 });
let copy: Copy;

beforeAll(async () => {
  copy = openCopy(url);
});
afterAll(async () => {
  await copy.close();
});

const plain: Usage = { ...noUsage, requests: 1, inputTokens: 100, outputTokens: 7, costUsd: 0.25 };
const full: Usage = {
  requests: 3,
  inputTokens: 2_000,
  cachedInputTokens: 300,
  cacheWriteTokens: 500,
  cacheWriteLongTokens: 200,
  outputTokens: 90,
  reasoningTokens: 60,
  unmeteredRequests: 2,
  costUsd: 0.5,
};
const unpriced: Usage = { ...full, costUsd: null };

async function readItems(batchKey: bigint): Promise<(Usage | null)[]> {
  const batch = await readBatchByKey(db, batchKey);
  const source = { batchKey, fileKey: batch?.fileKey ?? 0n };
  const page = { limit: 100, inverted: false, maxBytes: 1_000_000 };
  const items = (await listItems(db.sql, source, {}, page)).map((item) =>
    item.requests === null || wasNeverAsked(item) ? null : usageOf(item),
  );
  const buffer = new CopyBuffer();
  const range = { source, first: 0, last: 99, status: undefined };
  const columns = {
    row: false,
    usage: true,
    completedAt: true,
    rejectedAnswer: true,
    cached: true,
  };
  const whole = await readItemRange(
    copy,
    { ...range, with: { ...columns, attempts: true } },
    { buffer, maxBytes: 1_000_000 },
  );
  expect(whole).toBe(true);
  expect([...itemsIn(buffer)].map(({ usage }) => usage)).toEqual(items);
  return items;
}

test('a batch used what its items used, also before a retry', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 4 });
  const id = await readId(db.sql, batchKey);
  const record = async (...results: Parameters<typeof recordAnswers>[1]['results']) => {
    await claimOf(db.sql, batchKey, worker);
    await recordAnswers(db.sql, { batchKey, worker, results });
  };
  const whole = async () => {
    const batch = await readBatchByKey(db, batchKey);
    return batch && usageOfBatch(batch);
  };

  await record({ ...succeeded(0), usage: plain });
  expect(await whole()).toEqual(plain);
  await record(
    { ...failed(1), usage: full },
    { ...succeeded(2), usage: unpriced },
    { ...failed(3), usage: plain },
  );
  expect(await whole()).toEqual(totalUsage([plain, full, unpriced, plain]));
  expect(await readItems(batchKey)).toEqual([plain, full, unpriced, plain]);

  await retryItems(db.sql, { owner: 'local', id });
  expect(await readItems(batchKey)).toEqual([plain, full, unpriced, plain]);
  expect(await whole()).toEqual(totalUsage([plain, full, unpriced, plain]));
  await record({ ...succeeded(1), usage: plain }, { ...succeeded(3), usage: full });

  const items = await readItems(batchKey);
  const both = totalUsage([full, plain]);
  expect(items).toEqual([plain, both, unpriced, both]);
  expect(await whole()).toEqual(totalUsage(items.filter((usage) => usage !== null)));
});

test('a count that an answer has not is stored as nothing', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 2 });
  await claimOf(db.sql, batchKey, worker);
  await recordAnswers(db.sql, {
    batchKey,
    worker,
    results: [
      { ...succeeded(0), usage: plain },
      { ...succeeded(1), usage: { ...plain, reasoningTokens: 5 } },
    ],
  });

  const rows = await db.sql`
    select cache_write_tokens, cache_write_long_tokens, reasoning_tokens, unmetered
    from results where batch_key = ${batchKey} order by index`;
  const none = { cache_write_tokens: null, cache_write_long_tokens: null, unmetered: null };
  expect(rows).toEqual([
    { ...none, reasoning_tokens: null },
    { ...none, reasoning_tokens: 5 },
  ]);
});

test('an item that was cancelled before it was asked used nothing, and says so', async () => {
  const batchKey = await insertBatch(db.sql, { items: 2 });
  await db.sql`update batches set ending = 'CANCELLED', status = 'CANCELLING' where key = ${batchKey}`;
  await finishChunks(db.sql, { batchKey, status: 'CANCELLED' });

  expect(await readItems(batchKey)).toEqual([null, null]);
});
