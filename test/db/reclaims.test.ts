import { expect, test } from 'vitest';
import { beginFailure, endFailure } from '../../src/db/batch-life.ts';
import { readBatchByKey } from '../../src/db/batches.ts';
import { raiseSentMarks } from '../../src/db/chunks.ts';
import { finishChunks } from '../../src/db/finish-chunks.ts';
import { aloneFromCrashes, fatalCrashes, listFatal, reclaimChunks } from '../../src/db/reclaims.ts';
import { recordResults } from '../../src/db/results.ts';
import { deleteWorker, renewWorker } from '../../src/db/workers.ts';
import { openTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import {
  audit,
  claimOf,
  enterWorker,
  insertBatch,
  range,
  recordAnswers,
  succeeded,
} from './queue.ts';

const { db } = await openTestDatabase();

async function mark(worker: string, batchKey: bigint, first: number, sentTo: number, repeats = 0) {
  await raiseSentMarks(db.sql, worker, [{ batchKey, first, sentTo, repeats }]);
}

/** Claims the chunk that begins at `first`, marks its items up to `sentTo` as sent, and dies. */
async function crashAt(batchKey: bigint, first: number, sentTo = first) {
  const worker = await enterWorker(db);
  await claimOf(db.sql, batchKey, worker, 100);
  await mark(worker, batchKey, first, sentTo);
  await deleteWorker(db, worker);
  await reclaimChunks(db.sql);
}

test('a reclaim counts exactly the marked items that have no result, and reopens the chunks', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 30 });
  await claimOf(db.sql, batchKey, worker, 3);
  await mark(worker, batchKey, 0, 6);
  await mark(worker, batchKey, 10, 12);
  await recordAnswers(db.sql, {
    batchKey,
    worker,
    results: [1, 3, 5].map((index) => succeeded(index)),
  });
  await deleteWorker(db, worker);

  const reclaimed = await reclaimChunks(db.sql);
  const again = await reclaimChunks(db.sql);

  expect([reclaimed, again]).toEqual([[{ key: batchKey, chunks: 3, resent: 4 + 3 }], []]);
  const found = await audit(db.sql, batchKey);
  expect(found.resentRequests).toBe(4 + 3);
  expect(await chunksOf(batchKey)).toEqual([
    [0, 6, 'open', 3, 1],
    [7, 9, 'open', 0, 0],
    [10, 12, 'open', 0, 1],
    [13, 19, 'open', 0, 0],
    [20, 29, 'open', 0, 0],
  ]);
});

test('a reclaim counts what was marked for second requests, but for those of items with a result', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 30 });
  await claimOf(db.sql, batchKey, worker, 3);
  // In two statements, as a worker marks them, the second of two chunks.
  await mark(worker, batchKey, 0, 6, 2);
  await raiseSentMarks(db.sql, worker, [
    { batchKey, first: 0, sentTo: 3, repeats: 1 },
    { batchKey, first: 10, sentTo: 12, repeats: 4 },
    { batchKey, first: 20, sentTo: 20, repeats: 0 },
  ]);
  await recordAnswers(db.sql, {
    batchKey,
    worker,
    results: [{ ...succeeded(1), repeats: 2 }, succeeded(3), succeeded(20)],
  });
  const known = await db.sql`
    select first, sent_to, repeats from chunks where batch_key = ${batchKey} order by first`;
  await deleteWorker(db, worker);

  await reclaimChunks(db.sql);
  const again = await enterWorker(db);
  await claimOf(db.sql, batchKey, again, 100);
  await deleteWorker(db, again);
  await reclaimChunks(db.sql);

  expect([...known]).toEqual([
    { first: 0, sent_to: 6, repeats: 1 },
    { first: 10, sent_to: 12, repeats: 4 },
    { first: 20, sent_to: 20, repeats: 0 },
  ]);
  expect((await audit(db.sql, batchKey)).resentRequests).toBe(5 + 1 + (3 + 4));
});

test('marks of second requests do not go beyond what the column holds', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 10 });
  await claimOf(db.sql, batchKey, worker);

  for (const repeats of [32_000, 32_000]) await mark(worker, batchKey, 0, 0, repeats);

  const [chunk] = await db.sql`select repeats from chunks where batch_key = ${batchKey}`;
  expect(chunk).toEqual({ repeats: 32_767 });
});

test('of a chunk that was cut, only who holds the piece writes, and only into it', async () => {
  const stale = await enterWorker(db);
  const heir = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 10 });
  await claimOf(db.sql, batchKey, stale);
  await mark(stale, batchKey, 0, 4);
  await deleteWorker(db, stale);
  await reclaimChunks(db.sql);
  await db.sql`update chunks set state = 'leased', owner = ${heir} where batch_key = ${batchKey} and first = 0`;
  const results = range(0, 9).map((index) => ({ ...succeeded(index), first: 0 }));

  const late = await recordResults(db.sql, { batchKey, worker: stale, execution: 'LIVE', results });
  const own = await recordResults(db.sql, { batchKey, worker: heir, execution: 'LIVE', results });

  expect([late?.recorded, own?.recorded]).toEqual([0, 5]);
  expect(await chunksOf(batchKey)).toEqual([
    [0, 4, 'done', 5, 1],
    [5, 9, 'open', 0, 0],
  ]);
});

test('nothing is taken from a worker whose lease runs, and one that ran out cannot be renewed', async () => {
  const live = await enterWorker(db);
  const dead = await enterWorker(db, 1);
  const batchKey = await insertBatch(db.sql, { items: 20 });
  await claimOf(db.sql, batchKey, live);
  await claimOf(db.sql, batchKey, dead);

  const reclaimed = await reclaimChunks(db.sql);
  const renewed = [
    await renewWorker(db, live, { leaseMs: 60_000 }),
    await renewWorker(db, dead, { leaseMs: 60_000 }),
  ];

  expect(reclaimed).toMatchObject([{ key: batchKey }]);
  expect(renewed).toEqual([true, false]);
  expect((await audit(db.sql, batchKey)).chunks.map(([, , state]) => state)).toEqual([
    'leased',
    'open',
  ]);
});

test('marks only rise, and only under the lease', async () => {
  const worker = await enterWorker(db);
  const other = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 10 });
  await claimOf(db.sql, batchKey, worker);

  await mark(worker, batchKey, 0, 5);
  await mark(worker, batchKey, 0, 3);
  await mark(other, batchKey, 0, 9);

  const [chunk] = await db.sql`select sent_to from chunks where batch_key = ${batchKey}`;
  expect(chunk).toEqual({ sent_to: 5 });
});

test('what a batch that is failing had under way is not counted as sent again', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 10 });
  await claimOf(db.sql, batchKey, worker);
  await mark(worker, batchKey, 0, 5);
  await beginFailure(db, batchKey, { code: 'INVALID_KEY', message: 'no' });

  const early = await endFailure(db.sql, batchKey);
  await deleteWorker(db, worker);
  await reclaimChunks(db.sql);
  const ended = await endFailure(db.sql, batchKey);

  expect([early, ended]).toEqual([null, expect.objectContaining({ status: 'FAILED' })]);
  expect(await audit(db.sql, batchKey)).toMatchObject({ status: 'FAILED', resentRequests: 0 });
});

test('what was under way is cut off from what was not, and alone charged with the crash', async () => {
  const batchKey = await insertBatch(db.sql, { items: 10 });
  const worker = await enterWorker(db);
  await claimOf(db.sql, batchKey, worker);
  await mark(worker, batchKey, 0, 5);
  const results = [0, 2].map((index) => succeeded(index));
  await recordAnswers(db.sql, { batchKey, worker, results });

  await deleteWorker(db, worker);
  await reclaimChunks(db.sql);

  expect(await chunksOf(batchKey)).toEqual([
    [0, 5, 'open', 2, 1],
    [6, 9, 'open', 0, 0],
  ]);
});

test('the third crash leaves an item each of what was under way', async () => {
  const batchKey = await insertBatch(db.sql, { items: 6, chunkSize: 6 });
  const worker = await enterWorker(db);
  await claimOf(db.sql, batchKey, worker);
  await recordAnswers(db.sql, { batchKey, worker, results: [succeeded(1)] });
  await deleteWorker(db, worker);
  await reclaimChunks(db.sql);

  for (const sentTo of [4, 3, 2]) await crashAt(batchKey, 0, sentTo);

  expect(await chunksOf(batchKey)).toEqual([
    [0, 0, 'open', 0, aloneFromCrashes],
    [1, 1, 'done', 1, aloneFromCrashes],
    [2, 2, 'open', 0, aloneFromCrashes],
    [3, 3, 'open', 0, 2],
    [4, 4, 'open', 0, 1],
    [5, 5, 'open', 0, 0],
  ]);
});

test('the item that crashes five times fails, and it alone', async () => {
  const batchKey = await insertBatch(db.sql, { items: 4, chunkSize: 4 });
  for (const _ of range(1, aloneFromCrashes)) await crashAt(batchKey, 0, 3);
  await crashAt(batchKey, 2);
  const error = { code: 'WORKER_CRASHED', message: 'died' } as const;
  const early = await finishChunks(db.sql, {
    batchKey,
    status: 'FAILED',
    error,
    crashes: fatalCrashes,
  });
  await crashAt(batchKey, 2);

  const written = await finishChunks(db.sql, {
    batchKey,
    status: 'FAILED',
    error,
    crashes: fatalCrashes,
  });

  expect(early).toMatchObject({ recorded: 0 });
  expect(written).toMatchObject({ recorded: 1, status: 'PROCESSING' });
  const rows = await db.sql`select index, error_code from results where batch_key = ${batchKey}`;
  expect([...rows]).toEqual([{ index: 2, error_code: 'WORKER_CRASHED' }]);
  const [summary] =
    await db.sql`select code, count from batch_errors where batch_key = ${batchKey}`;
  expect(summary).toEqual({ code: 'WORKER_CRASHED', count: 1 });
});

test('nobody claims the item that crashed five times, even before it fails', async () => {
  const batchKey = await insertBatch(db.sql, { items: 2, chunkSize: 1 });
  for (const _ of range(1, fatalCrashes)) await crashAt(batchKey, 0);
  const [fatal, worker] = [await listFatal(db.sql), await enterWorker(db)];

  const claimed = await claimOf(db.sql, batchKey, worker, 100);
  const again = await claimOf(db.sql, batchKey, worker, 100);

  expect(fatal).toContain(batchKey);
  expect(claimed.map(({ first }) => first)).toEqual([1]);
  expect(again).toEqual([]);
});

test('a reclaim that had to wait for a last flush counts what that flush recorded', async () => {
  const batchKey = await insertBatch(db.sql, { items: 10 });
  const worker = await enterWorker(db);
  await claimOf(db.sql, batchKey, worker);
  await mark(worker, batchKey, 0, 7);
  await deleteWorker(db, worker);
  // Holds the batch for a while, so that the flush and the reclaim queue up behind it in this
  // order.
  const holding = db.sql`
    with held as materialized (select key from batches where key = ${batchKey} for update)
    select pg_sleep(0.4) from held`.execute();
  await until(() => waiting(0), { deadlineMs: 5_000, what: 'the lock' });
  const results = range(0, 4).map((index) => succeeded(index));
  const flushing = recordAnswers(db.sql, { batchKey, worker, results });
  await until(() => waiting(1), { deadlineMs: 5_000, what: 'the flush to wait' });
  const reclaiming = reclaimChunks(db.sql);

  await Promise.all([holding, flushing, reclaiming]);
  await reclaimChunks(db.sql);

  expect((await audit(db.sql, batchKey)).resentRequests).toBe(3);
  expect(await chunksOf(batchKey)).toEqual([
    [0, 7, 'open', 5, 1],
    [8, 9, 'open', 0, 0],
  ]);
});

/** Whether a session sleeps, and so many wait for a lock behind it. */
async function waiting(sessions: number): Promise<boolean> {
  const [found] = await db.sql`
    select count(*) filter (where wait_event = 'PgSleep')::int as sleeping,
           count(*) filter (where wait_event_type = 'Lock')::int as waiting
    from pg_stat_activity where datname = current_database()`;
  return found?.sleeping === 1 && found.waiting >= sessions;
}

/** `[first, last, state, done, crashes]`, by first. */
async function chunksOf(batchKey: bigint) {
  const chunks = await db.sql`
    select first, last, state, done, crashes from chunks where batch_key = ${batchKey} order by first`;
  return chunks.map(({ first, last, state, done, crashes }) => [first, last, state, done, crashes]);
}

test('what a dead worker had sent of a batch that is being cancelled is unmetered, by item and as a whole', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 20 });
  await claimOf(db.sql, batchKey, worker, 1);
  await mark(worker, batchKey, 0, 4, 2);
  await recordAnswers(db.sql, { batchKey, worker, results: [succeeded(1)] });
  await db.sql`update batches set ending = 'CANCELLED', status = 'CANCELLING' where key = ${batchKey}`;
  await deleteWorker(db, worker);

  await reclaimChunks(db.sql);
  await finishChunks(db.sql, { batchKey, status: 'CANCELLED' });

  const batch = await readBatchByKey(db, batchKey);
  const { requests, resentRequests, unmeteredRequests } = batch ?? {};
  // Of the first chunk's items one has its answer, which has taken one request.
  expect({ requests, resentRequests, unmeteredRequests }).toEqual({
    requests: 1 + 4 + 2,
    resentRequests: 0,
    unmeteredRequests: 4 + 2,
  });
  const kept = await db.sql`
    select index, requests, unmetered from superseded_results where batch_key = ${batchKey} order by index`;
  expect(kept.map(({ index, requests: sent, unmetered }) => [index, sent, unmetered])).toEqual([
    [0, 3, 3],
    [2, 1, 1],
    [3, 1, 1],
    [4, 1, 1],
  ]);
  const [spent] = await db.sql`
    select requests, unmetered from spending where batch_key = ${batchKey}`;
  expect([Number(spent?.requests), Number(spent?.unmetered)]).toEqual([7, 6]);
  const before = await audit(db.sql, batchKey);
  await reclaimChunks(db.sql);
  expect(await audit(db.sql, batchKey)).toEqual(before);
});
