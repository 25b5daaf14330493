import { describe, expect, test } from 'vitest';
import { beginCancel, beginFailure } from '../../src/db/batch-life.ts';
import {
  claimChunks,
  raiseSentMarks,
  releaseChunks,
  releaseUnknownChunks,
} from '../../src/db/chunks.ts';
import { type Database, openDatabase } from '../../src/db/driver/client.ts';
import { openTestDatabase } from '../support/database.ts';
import {
  audit,
  claimOf,
  enterWorker,
  fromStart,
  insertBatch,
  nobody,
  range,
  readId,
  recordAnswers,
  succeeded,
  unanswered,
  unlimited,
} from './queue.ts';

const { db, url } = await openTestDatabase({ maxConnections: 16 });

/** A pool whose planner is left with nothing but nested loops, and has no statistics. */
function openNestedLoops(): Database {
  const slow = new URL(url);
  slow.searchParams.set('enable_hashjoin', 'off');
  slow.searchParams.set('enable_mergejoin', 'off');
  slow.searchParams.set('enable_material', 'off');
  return openDatabase(slow.href, { maxConnections: 16 });
}

for (const [plan, open] of [
  ['the usual plan', () => openDatabase(url, { maxConnections: 16 })],
  ['a nested-loop plan', openNestedLoops],
] as const) {
  test(`16 claimers never get more than the limit, nor a chunk twice, under ${plan}`, async () => {
    const pool = open();
    const batchKey = await insertBatch(db.sql, { items: 3_000, chunkSize: 3 });
    const limit = 7;

    const claims = await Promise.all(
      range(1, 16).map(async () => {
        const worker = await enterWorker(db);
        const mine: number[][] = [];
        for (;;) {
          const chunks = await claimOf(pool.sql, batchKey, worker, limit);
          if (chunks.length === 0) return mine;
          mine.push(chunks.map(({ first }) => first));
        }
      }),
    );
    await pool.close();

    const sizes = claims.flat().map(({ length }) => length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limit);
    const firsts = claims.flat(2).sort((a, b) => a - b);
    expect(firsts).toEqual(range(0, 999).map((chunk) => chunk * 3));
  });
}

test('the settings of the nested-loop pool reach the server', async () => {
  const pool = openNestedLoops();

  const [shown] = await pool.sql`select current_setting('enable_hashjoin') as hashjoin`;
  await pool.close();

  expect(shown).toEqual({ hashjoin: 'off' });
});

/**
 * Claims a chunk at a time, each turn after the one before. Returns the batches in the order in
 * which they were served.
 */
async function claimInTurn(claims: number): Promise<bigint[]> {
  const worker = await enterWorker(db);
  const batches = new Map<string, bigint>();
  const served: bigint[] = [];
  let owner = '';
  for (const _ of range(1, claims)) {
    const after = { owner, batches };
    const {
      chunks: [chunk],
    } = await claimChunks(db.sql, {
      worker,
      after,
      limit: 1,
      onlyBatchKeys: null,
      except: [],
      limits: unlimited,
      from: fromStart,
    });
    if (!chunk) break;
    served.push(chunk.batchKey);
    owner = chunk.batchOwner;
    batches.set(owner, chunk.batchKey);
  }
  return served;
}

test('claims go round the batches, and start them', async () => {
  const keys = [];
  for (const _ of range(1, 3)) keys.push(await insertBatch(db.sql, { items: 30 }));

  const served = await claimInTurn(10);

  expect(served).toEqual([...keys, ...keys, ...keys]);
  for (const key of keys) expect((await audit(db.sql, key)).status).toBe('PROCESSING');
});

test('claims go round the owners first, then round the batches of each', async () => {
  const many = [];
  for (const _ of range(1, 3)) many.push(await insertBatch(db.sql, { items: 20, owner: 'many' }));
  const one = await insertBatch(db.sql, { items: 60, owner: 'one' });

  const served = await claimInTurn(20);

  const [first, second, third] = many;
  const turns = [...many, ...many].flatMap((key) => [key, one]);
  expect(served).toEqual(turns);
  expect(served.slice(0, 6)).toEqual([first, one, second, one, third, one]);
});

test('a claimed chunk starts with nothing marked as sent', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 25 });

  const chunks = await claimOf(db.sql, batchKey, worker, 5);

  expect(chunks.map(({ first, last, done, sentTo }) => [first, last, done, sentTo])).toEqual([
    [0, 9, 0, -1],
    [10, 19, 0, 9],
    [20, 24, 0, 19],
  ]);
});

test('a claim that looks from an index on takes what follows, then what has crashes, and nothing before', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 60 });
  await db.sql`update chunks set crashes = 1 where batch_key = ${batchKey} and first in (10, 50)`;
  const claim = {
    worker,
    after: nobody,
    limit: 2,
    onlyBatchKeys: [batchKey],
    except: [],
    limits: unlimited,
  };
  const take = async (from: ReadonlyMap<bigint, number>) =>
    (await claimChunks(db.sql, { ...claim, from })).chunks.map(({ first }) => first);

  const from = new Map([
    [batchKey, 20],
    [batchKey + 1n, 0],
  ]);
  const behind = [await take(from), await take(from), await take(from)];
  const all = await take(new Map([[batchKey + 1n, 20]]));

  expect(behind.map((firsts) => firsts.sort())).toEqual([[20, 30], [10, 40], [50]]);
  expect(all).toEqual([0]);
});

test('nothing is claimed of a draft, or of a batch that is being cancelled or is failing', async () => {
  const worker = await enterWorker(db);
  const draft = await insertBatch(db.sql, { items: 5, status: 'DRAFT' });
  const failing = await insertBatch(db.sql, { items: 5 });
  await beginFailure(db, failing, { code: 'INVALID_KEY', message: 'no' });
  const cancelled = await insertBatch(db.sql, { items: 5 });
  const id = await readId(db.sql, cancelled);
  await beginCancel(db, 'local', id);

  for (const key of [draft, failing, cancelled]) {
    expect(await claimOf(db.sql, key, worker)).toEqual([]);
  }
});

test('a released chunk keeps its results, and only what was open is asked again', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 10 });
  await claimOf(db.sql, batchKey, worker);
  await recordAnswers(db.sql, {
    batchKey,
    worker,
    results: range(0, 3).map((at) => succeeded(at)),
  });

  await releaseChunks(db.sql, { worker, batchKey, unanswered: [] });
  await releaseChunks(db.sql, { worker, batchKey, unanswered: [] }); // nothing is held any more
  const [again] = await claimOf(db.sql, batchKey, worker);

  expect(again).toMatchObject({ first: 0, last: 9, done: 4, crashes: 0 });
  expect(await audit(db.sql, batchKey)).toMatchObject({ resentRequests: 0, done: 4 });
});

describe('what items have cost that are given back', () => {
  /** Two that were answered once and have a call under way, and one that has its first. */
  const given = [
    unanswered(4, { requests: 2, cutOff: 1 }),
    unanswered(5, { requests: 2, cutOff: 1 }),
    unanswered(6, { requests: 1, cutOff: 1 }),
  ];

  async function holding() {
    const worker = await enterWorker(db);
    const batchKey = await insertBatch(db.sql, { items: 10 });
    await claimOf(db.sql, batchKey, worker);
    await raiseSentMarks(db.sql, worker, [{ batchKey, first: 0, sentTo: 6, repeats: 3 }]);
    return { worker, batchKey };
  }

  async function keptOf(batchKey: bigint) {
    const kept = await db.sql`
      select index, status, attempts, requests, unmetered, cost_usd from superseded_results
      where batch_key = ${batchKey} order by index`;
    return kept.map((row) => Object.values(row));
  }

  test('stays theirs where the batch goes on, and what was aborted is told as sent again', async () => {
    const { worker, batchKey } = await holding();

    await releaseChunks(db.sql, { worker, batchKey, unanswered: given });
    await claimOf(db.sql, batchKey, worker);
    // As after a connection that broke before its answer: the chunk is held, and nothing was sent.
    await releaseChunks(db.sql, { worker, batchKey, unanswered: given });

    expect(await keptOf(batchKey)).toEqual([
      [4, 'CANCELLED', 1, 1, null, 0.5],
      [5, 'CANCELLED', 1, 1, null, 0.5],
    ]);
    const { resentRequests, usage, usageOfRows } = await audit(db.sql, batchKey);
    expect([resentRequests, usage]).toEqual([3, [2, 0, 20, 4, 6, 2, 1]]);
    expect(usageOfRows).toEqual(usage);
  });

  test('stays theirs where the batch is being ended, with what was aborted', async () => {
    const { worker, batchKey } = await holding();
    await beginFailure(db, batchKey, { code: 'INVALID_KEY', message: 'no' });

    await releaseChunks(db.sql, { worker, batchKey, unanswered: given });
    await releaseChunks(db.sql, { worker, batchKey, unanswered: given });

    expect(await keptOf(batchKey)).toEqual([
      [4, 'CANCELLED', 1, 2, 1, 0.5],
      [5, 'CANCELLED', 1, 2, 1, 0.5],
      [6, 'CANCELLED', 0, 1, 1, null],
    ]);
    const { resentRequests, usage, usageOfRows } = await audit(db.sql, batchKey);
    expect([resentRequests, usage]).toEqual([0, [5, 3, 20, 4, 6, 2, 1]]);
    expect(usageOfRows).toEqual(usage);
  });
});

test('only chunks that a worker does not know of are given back', async () => {
  const worker = await enterWorker(db);
  const other = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 50 });
  await claimOf(db.sql, batchKey, worker, 3);
  await claimOf(db.sql, batchKey, other, 1);

  const released = await releaseUnknownChunks(db.sql, worker, [{ batchKey, first: 10 }]);

  expect(released).toBe(2);
  expect((await audit(db.sql, batchKey)).chunks.map(([first, , state]) => [first, state])).toEqual([
    [0, 'open'],
    [10, 'leased'],
    [20, 'open'],
    [30, 'leased'],
    [40, 'open'],
  ]);
});
