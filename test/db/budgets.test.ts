/** Claims of a batch with a limit: never more than it leaves, whoever claims beside. */
import { expect, test } from 'vitest';
import {
  allowedItems,
  claimWithin,
  listUsedUp,
  pauseForBudget,
  readStanding,
} from '../../src/db/budgets.ts';
import { openTestDatabase } from '../support/database.ts';
import {
  audit,
  claimOf,
  enterWorker,
  insertBatch,
  range,
  recordAnswers,
  succeeded,
  unlimited,
} from './queue.ts';

const { db } = await openTestDatabase({ maxConnections: 16 });

/** A batch of which each item is expected to cost 1 USD. Answers of these tests cost 0.5 USD. */
async function insertQuoted(items: number, maxCostUsd: number, chunkSize = 10): Promise<bigint> {
  const key = await insertBatch(db.sql, { items, chunkSize, maxCostUsd });
  const quote = JSON.stringify({ liveUsd: { expected: items } });
  await db.sql`update batches set quote = ${quote} where key = ${key}`;
  return key;
}

function claimOne(batchKey: bigint, worker: string, limit: number) {
  return claimWithin(db.sql, { batchKey, owner: 'local', worker, limit, limits: unlimited });
}

/** Claims until nothing is left, again where others were in the way. Returns indexes. */
async function claimAll(batchKey: bigint, limit: number): Promise<number[]> {
  const worker = await enterWorker(db);
  const mine: number[] = [];
  for (;;) {
    const claimed = await claimOne(batchKey, worker, limit);
    if (!claimed || (claimed.isFresh && claimed.chunks.length === 0)) return mine;
    for (const { first, last } of claimed.chunks) mine.push(...range(first, last));
  }
}

test('16 claimers together get exactly what the limit leaves, each item once', async () => {
  const batchKey = await insertQuoted(3_000, 257.3, 7);

  const claims = await Promise.all(range(1, 16).map(() => claimAll(batchKey, 3)));

  const claimed = claims.flat().sort((a, b) => a - b);
  expect(claimed).toHaveLength(257);
  expect(new Set(claimed).size).toBe(257);
  const { chunks } = await audit(db.sql, batchKey);
  expect(chunks.map(([first]) => first)).toEqual([
    0,
    ...chunks.map(([, last]) => last + 1).slice(0, -1),
  ]);
  expect(chunks.at(-1)?.[1]).toBe(2_999);
});

test('a batch with a limit is not claimed as others are', async () => {
  const batchKey = await insertQuoted(30, 100);
  const worker = await enterWorker(db);

  expect(await claimOf(db.sql, batchKey, worker, 5)).toEqual([]);
});

test('a chunk is cut behind the last item that may be sent, answers in it left aside', async () => {
  const batchKey = await insertQuoted(20, 6.5, 20);
  const worker = await enterWorker(db);
  await claimOne(batchKey, worker, 1);
  await recordAnswers(db.sql, { batchKey, worker, results: [1, 3, 4].map((at) => succeeded(at)) });
  await db.sql`
    update chunks set state = 'open', owner = null, sent_to = first - 1
    where batch_key = ${batchKey} and state = 'leased'`;

  // 3 answers of 0.5 USD: 5 USD are left.
  const claimed = await claimOne(batchKey, worker, 5);
  const found = await audit(db.sql, batchKey);

  expect(claimed?.standing).toMatchObject({ spentUsd: 1.5, meanUsd: 1, allowedItems: 5 });
  // 0, 2 and 5 of the first chunk, and two of the next.
  expect(claimed?.chunks.map(({ first, last, done }) => [first, last, done])).toEqual([
    [0, 5, 3],
    [6, 7, 0],
  ]);
  expect(found.chunks).toEqual([
    [0, 5, 'leased', 3],
    [6, 7, 'leased', 0],
    [8, 19, 'open', 0],
  ]);
});

test('what was answered counts by its own mean from 20 answers on, if that is the higher one', async () => {
  const batchKey = await insertQuoted(100, 60, 100);
  await db.sql`update batches set quote = ${JSON.stringify({ liveUsd: { expected: 20 } })} where key = ${batchKey}`;
  const worker = await enterWorker(db);
  await claimOne(batchKey, worker, 1);

  await recordAnswers(db.sql, {
    batchKey,
    worker,
    results: range(0, 18).map((at) => succeeded(at)),
  });
  const before = await readStanding(db.sql, batchKey);
  await recordAnswers(db.sql, { batchKey, worker, results: [succeeded(19)] });
  const after = await readStanding(db.sql, batchKey);

  expect(before).toMatchObject({ meanUsd: 0.2, heldItems: 81, spentUsd: 9.5 });
  expect(after).toMatchObject({ meanUsd: 0.5, heldItems: 80, spentUsd: 10, allowedItems: 20 });
});

test('requests of which nobody knows the cost count with the mean', async () => {
  const batchKey = await insertQuoted(100, 60);
  await db.sql`update batches set resent_requests = 3, unmetered_requests = 2 where key = ${batchKey}`;

  expect(await readStanding(db.sql, batchKey)).toMatchObject({ spentUsd: 5, allowedItems: 55 });
});

/** As if others held the first items of a batch. */
async function hold(batchKey: bigint, items: number): Promise<void> {
  const worker = await enterWorker(db);
  await db.sql`
    update chunks
    set state = (case when first < ${items} then 'leased' else 'open' end)::chunk_state,
        owner = case when first < ${items} then ${worker} end, sent_to = first - 1
    where batch_key = ${batchKey}`;
}

/** A batch for the batch API, each item of which may cost as much again as is expected. */
async function insertGuessed(items: number, maxCostUsd: number): Promise<bigint> {
  const key = await insertQuoted(items, maxCostUsd);
  const providerBatchUsd = { expected: items, high: 2 * items };
  const quote = JSON.stringify({ outputBasis: 'GUESSED', providerBatchUsd });
  await db.sql`update batches set quote = ${quote}, execution = 'PROVIDER_BATCH' where key = ${key}`;
  return key;
}

async function allowedFor(batchKey: bigint): Promise<number | null> {
  const [found] = await db.sql<{ items: number | null }[]>`
    select ${allowedItems(db.sql, unlimited, db.sql`w.whose`)} as items
    from batches b cross join lateral (select b.owner as whose) w where b.key = ${batchKey}`;
  return found?.items ?? null;
}

test('a job is left what others hold neither, by the upper end of what is guessed', async () => {
  const batchKey = await insertGuessed(100, 60);
  const allowed = [];
  for (const held of [0, 20, 30, 40]) {
    await hold(batchKey, held);
    allowed.push(await allowedFor(batchKey));
  }

  expect(allowed).toEqual([30, 10, 0, 0]);
  expect(await allowedFor(await insertGuessed(100, 1.5))).toBe(1);
  expect(await allowedFor(await insertBatch(db.sql, { items: 10 }))).toBeNull();
});

test('rows that take the answer of another one are not held', async () => {
  const batchKey = await insertQuoted(100, 60);
  await hold(batchKey, 20);
  await db.sql`update chunks set twins = 4 where batch_key = ${batchKey} and first = 10`;

  expect(await readStanding(db.sql, batchKey)).toMatchObject({ heldItems: 16, allowedItems: 44 });
});

test('a batch for the batch API is used up once nothing of it is held', async () => {
  const batchKey = await insertGuessed(100, 10);
  await db.sql`update batches set cost_usd = 10 where key = ${batchKey}`;
  const isUsedUp = async () => {
    const found = await listUsedUp(db.sql, unlimited);
    return found.some(({ key }) => key === batchKey);
  };

  await hold(batchKey, 10);
  expect(await isUsedUp()).toBe(false);
  await hold(batchKey, 0);
  expect(await isUsedUp()).toBe(true);
});

test('what is held of the other batches of an owner is held back from each of them', async () => {
  const limits = { owners: new Map([['acme', 30]]), others: null };
  const [first, second, other] = await Promise.all(
    ['acme', 'acme', 'ben'].map((owner) => insertBatch(db.sql, { items: 100, owner })),
  );
  const quote = JSON.stringify({ liveUsd: { expected: 100 } });
  await db.sql`update batches set quote = ${quote} where owner in ('acme', 'ben')`;
  const worker = await enterWorker(db);
  const claim = async (batchKey = 0n, owner = 'acme') =>
    (await claimWithin(db.sql, { batchKey, owner, worker, limit: 20, limits }))?.chunks.map(
      (chunk) => [chunk.first, chunk.last],
    );

  await hold(other ?? 0n, 50);
  await hold(first ?? 0n, 20);
  expect(await claim(second)).toEqual([[0, 9]]);
  expect(await claim(first)).toEqual([]);
  await db.sql`
    update chunks set state = 'open', owner = null where batch_key = ${first ?? 0n} and first = 0`;
  expect(await claim(first)).toEqual([[0, 9]]);
});

test('a batch of which something is held, or whose limit was raised, is not paused', async () => {
  const batchKey = await insertQuoted(20, 10);
  const worker = await enterWorker(db);
  const pause = { maxCostUsd: 10, message: 'used up' };
  await claimOne(batchKey, worker, 1);
  expect(await pauseForBudget(db.sql, batchKey, pause)).toBe(false);

  await recordAnswers(db.sql, {
    batchKey,
    worker,
    results: range(0, 9).map((at) => succeeded(at)),
  });
  expect(await pauseForBudget(db.sql, batchKey, { ...pause, maxCostUsd: 9 })).toBe(false);
  expect(await pauseForBudget(db.sql, batchKey, pause)).toBe(true);
  expect(await claimOne(batchKey, worker, 1)).toBeNull();
});
