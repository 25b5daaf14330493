/** Which items a provider batch gives back, and what becomes of the chunks that they are in. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterEach, expect, test } from 'vitest';
import { readBatchByKey } from '../../src/db/batches.ts';
import { toItemSet } from '../../src/db/item-set.ts';
import { holdProviderBatch } from '../../src/db/provider-batch-hold.ts';
import {
  giveBackFrom,
  giveBackOtherChunks,
  giveBackOthers,
  giveBackTried,
  readInputItems,
} from '../../src/db/provider-batch-items.ts';
import {
  changeProviderBatch,
  endProviderBatch,
  planProviderBatch,
} from '../../src/db/provider-batches.ts';
import { retryItems } from '../../src/db/retries.ts';
import { openTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import {
  audit,
  enterWorker,
  failed,
  insertBatch,
  range,
  recordAnswers,
  succeeded,
  unlimited,
} from './queue.ts';

const { db, url } = await openTestDatabase();

afterEach(async () => {
  // Or the next one would be planned of what this one gave back.
  await db.sql`delete from batches`;
  await db.sql`delete from provider_batches`;
});

/**
 * A provider batch of 20 items in two chunks, with these in its input, in the hands of a worker.
 */
async function take(items: readonly number[]) {
  const batchKey = await insertBatch(db.sql, { items: 20 });
  await db.sql`update batches set execution = 'PROVIDER_BATCH' where key = ${batchKey}`;
  const worker = await enterWorker(db);
  const id = `pbatch_${randomUUID()}`;
  const limits = { maxChunks: 100, maxItems: 1_000, maxRounds: 3 };
  await planProviderBatch(db.sql, {
    id,
    worker,
    busyOwners: [],
    ...limits,
    limits: unlimited,
  });
  const held = await holdProviderBatch(db.sql, { worker, id });
  if (!held) throw new Error('nothing was planned');
  const mine = { ...held, worker };
  await changeProviderBatch(db, mine, { items, requests: items.length });
  return mine;
}

async function chunksOf({ batchKey }: { batchKey: bigint }) {
  return (await audit(db.sql, batchKey)).chunks.map(([first, last, state]) => [first, last, state]);
}

async function roundsOf({ batchKey }: { batchKey: bigint }): Promise<number[]> {
  const chunks = await db.sql<{ rounds: number }[]>`
    select rounds from chunks where batch_key = ${batchKey} order by first`;
  return chunks.map(({ rounds }) => rounds);
}

async function firstsOf({ key }: { key: bigint }): Promise<number[]> {
  const found = await db.sql<{ first: number }[]>`
    select unnest(firsts) as first from provider_batches where key = ${key} order by 1`;
  return found.map(({ first }) => first);
}

test.each([
  [[0], '{[0,1)}'],
  [[0, 1, 2, 7, 9, 10], '{[0,3),[7,8),[9,11)}'],
])('the items %j are kept as %s, and read line by line', async (items, text) => {
  const mine = await take(items);

  expect(toItemSet(items)).toBe(text);
  expect(await readInputItems(db.sql, mine)).toEqual(items);
});

test('where nobody has kept its items, as before, its input has those of its chunks that are unanswered', async () => {
  const mine = await take([]);

  expect(toItemSet([])).toBe('{}');
  expect(await readInputItems(db.sql, mine)).toEqual(range(0, 19));
});

test('what there is no room for is given back at once, down to the item', async () => {
  const mine = await take(range(0, 13));

  await giveBackFrom(db.sql, mine, 14);

  expect(await chunksOf(mine)).toEqual([
    [0, 9, 'leased'],
    [10, 13, 'leased'],
    [14, 19, 'open'],
  ]);
  expect(await firstsOf(mine)).toEqual([0, 10]);
});

test('chunks of which nothing is in the input are given back as they are', async () => {
  const mine = await take([14, 19]);

  await giveBackOtherChunks(db.sql, mine);

  expect(await chunksOf(mine)).toEqual([
    [0, 9, 'open'],
    [10, 19, 'leased'],
  ]);
  expect(await firstsOf(mine)).toEqual([10]);
});

test('items that are not in the input are given back uncharged, and those that are stay', async () => {
  const mine = await take([0, 1, 4, 5]);
  await recordAnswers(db.sql, {
    batchKey: mine.batchKey,
    worker: mine.id,
    results: [0, 2].map((index) => succeeded(index)),
  });

  await giveBackOthers(db.sql, mine);
  const chunks = await chunksOf(mine);
  const firsts = await firstsOf(mine);
  await endProviderBatch(db.sql, mine, { status: 'ended', round: true });

  // 2 has its answer, and goes along with whatever is before it.
  expect(chunks).toEqual([
    [0, 2, 'leased'],
    [3, 3, 'open'],
    [4, 5, 'leased'],
    [6, 9, 'open'],
    [10, 19, 'open'],
  ]);
  expect(firsts).toEqual([0, 4]);
  expect(await roundsOf(mine)).toEqual([1, 0, 1, 0, 0]);
  const { done, rows } = await audit(db.sql, mine.batchKey);
  expect([done, rows.succeeded]).toEqual([2, 2]);
});

test('an item that was answered and is retried since is another one’s', async () => {
  const mine = await take(range(0, 19));
  const { batchKey, id: worker } = mine;
  await recordAnswers(db.sql, { batchKey, worker, results: [failed(4)] });
  const batchId = (await readBatchByKey(db, batchKey))?.id ?? '';
  await retryItems(db.sql, { owner: 'local', id: batchId });

  await giveBackOthers(db.sql, mine);

  expect(await chunksOf(mine)).toEqual([
    [0, 3, 'leased'],
    [4, 4, 'open'],
    [5, 9, 'leased'],
    [10, 19, 'leased'],
  ]);
});

test('chunks of which everything is in the input stay whole', async () => {
  const mine = await take(range(0, 19));
  await recordAnswers(db.sql, {
    batchKey: mine.batchKey,
    worker: mine.id,
    results: [succeeded(3)],
  });

  await giveBackOthers(db.sql, mine);

  expect(await chunksOf(mine)).toEqual([
    [0, 9, 'leased'],
    [10, 19, 'leased'],
  ]);
});

test('items that were tried are given back with the try charged', async () => {
  const mine = await take(range(0, 19));

  await giveBackTried(db.sql, mine, [3, 4]);

  expect(await chunksOf(mine)).toEqual([
    [0, 2, 'leased'],
    [3, 4, 'open'],
    [5, 9, 'leased'],
    [10, 19, 'leased'],
  ]);
  expect(await roundsOf(mine)).toEqual([0, 1, 0, 0]);
});

test('nothing is given back in the name of a worker that has lost its hands', async () => {
  const mine = await take(range(0, 19));

  await giveBackFrom(db.sql, { ...mine, worker: await enterWorker(db) }, 5);

  expect(await chunksOf(mine)).toEqual([
    [0, 9, 'leased'],
    [10, 19, 'leased'],
  ]);
});

test('a chunk that a flush is under way to is not cut before that is over: its counts would be wrong', async () => {
  const mine = await take(range(0, 19));
  const { batchKey, id: worker } = mine;
  const other = postgres(url, { max: 1 });
  await other`begin`;
  await other`select from batches where key = ${String(batchKey)} for update`;
  const waiting = (count: number) =>
    until(
      async () => {
        const [found] = await db.sql<{ waiting: number }[]>`
          select count(*)::int as waiting from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
        return found?.waiting === count;
      },
      { deadlineMs: 5_000, what: `${count} statements that wait` },
    );

  const flush = recordAnswers(db.sql, { batchKey, worker, results: [succeeded(7)] });
  await waiting(1);
  const cut = giveBackFrom(db.sql, mine, 5).then(
    () => 'cut',
    (error: Error) => error.message,
  );
  await waiting(2);
  await other`commit`;
  await other.end();
  await flush;

  expect(await cut).toContain('came in while it was cut');
  expect(await chunksOf(mine)).toEqual([
    [0, 9, 'leased'],
    [10, 19, 'open'],
  ]);

  await giveBackFrom(db.sql, mine, 5);
  const { chunks, rows } = await audit(db.sql, batchKey);
  expect(chunks).toEqual([
    [0, 4, 'leased', 0],
    [5, 9, 'open', 1],
    [10, 19, 'open', 0],
  ]);
  expect(rows.succeeded).toBe(1);
});
