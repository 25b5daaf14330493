import { expect, test } from 'vitest';
import { beginCancel } from '../../src/db/batch-life.ts';
import { raiseSentMarks, releaseChunks } from '../../src/db/chunks.ts';
import { finishChunks } from '../../src/db/finish-chunks.ts';
import { readResultsAfter } from '../../src/db/items.ts';
import { reclaimChunks } from '../../src/db/reclaims.ts';
import { deleteWorker } from '../../src/db/workers.ts';
import { openTestDatabase } from '../support/database.ts';
import {
  type Audit,
  audit,
  claimOf,
  enterWorker,
  failed,
  insertBatch,
  range,
  readId,
  recordAnswers,
  succeeded,
  sum,
  unanswered,
} from './queue.ts';

const { db } = await openTestDatabase({ maxConnections: 16 });

/** Loses a worker's lease, as if it had died. */
async function kill(worker: string): Promise<void> {
  await deleteWorker(db, worker);
  await reclaimChunks(db.sql);
}

test('a result that is recorded twice, at once and later, is there once and counts once', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 10 });
  await claimOf(db.sql, batchKey, worker);
  const results = range(0, 8).map((index) => succeeded(index));

  const both = await Promise.all([
    recordAnswers(db.sql, { batchKey, worker, results }),
    recordAnswers(db.sql, { batchKey, worker, results }),
  ]);
  const later = await recordAnswers(db.sql, { batchKey, worker, results });

  expect(both.map((written) => written?.recorded).sort()).toEqual([0, 9]);
  expect(later?.recorded).toBe(0);
  const found = await audit(db.sql, batchKey);
  expect(found.counted.succeeded).toBe(9);
  expect(found.rows).toEqual(found.counted);
  expect(found.usage[0]).toBe(9);
});

test('a worker that lost its chunk writes nothing, whatever became of the chunk', async () => {
  const stale = await enterWorker(db);
  const heir = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 20 });
  await claimOf(db.sql, batchKey, stale, 2);
  await kill(stale);

  const whileOpen = await recordAnswers(db.sql, {
    batchKey,
    worker: stale,
    results: [succeeded(0)],
  });
  await claimOf(db.sql, batchKey, heir);
  const whileLeased = await recordAnswers(db.sql, {
    batchKey,
    worker: stale,
    results: [succeeded(0), failed(15)],
  });

  expect([whileOpen?.recorded, whileLeased?.recorded]).toEqual([0, 0]);
  expect(sum((await audit(db.sql, batchKey)).rows)).toBe(0);
});

test('a late failure never overwrites a success, nor a late success a failure', async () => {
  const first = await enterWorker(db);
  const second = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 3 });
  await claimOf(db.sql, batchKey, first);
  await recordAnswers(db.sql, { batchKey, worker: first, results: [succeeded(0), failed(1)] });
  await kill(first);
  await claimOf(db.sql, batchKey, second);

  await recordAnswers(db.sql, {
    batchKey,
    worker: second,
    results: [failed(0), succeeded(1), succeeded(2)],
  });

  const found = await audit(db.sql, batchKey);
  expect(found).toMatchObject({
    status: 'COMPLETED',
    counted: { succeeded: 2, failed: 1, cancelled: 0, expired: 0 },
  });
  expect(found.rows).toEqual(found.counted);
  const stored =
    await db.sql`select status from results where batch_key = ${batchKey} order by index`;
  expect(stored.map(({ status }) => status)).toEqual(['SUCCEEDED', 'FAILED', 'SUCCEEDED']);
});

test('completions that race a reclaim and a second worker leave one row each (300 rounds)', async () => {
  const rounds = 300;
  const batchKey = await insertBatch(db.sql, { items: rounds, chunkSize: 1 });

  for (let round = 0; round < rounds; round += 20) {
    await Promise.all(
      range(1, 20).map(async () => {
        const slow = await enterWorker(db);
        const fast = await enterWorker(db);
        const [chunk] = await claimOf(db.sql, batchKey, slow);
        const index = chunk?.first ?? -1;
        const late = recordAnswers(db.sql, { batchKey, worker: slow, results: [failed(index)] });
        await deleteWorker(db, slow);
        await reclaimChunks(db.sql);
        await claimOf(db.sql, batchKey, fast);
        await Promise.all([late, finishHeld(batchKey, fast)]);
      }),
    );
  }
  const last = await enterWorker(db);
  while ((await claimOf(db.sql, batchKey, last, 10)).length > 0) await finishHeld(batchKey, last);

  const found = await audit(db.sql, batchKey);
  expect(found.status).toBe('COMPLETED');
  expect(sum(found.counted)).toBe(rounds);
  expect(found.rows).toEqual(found.counted);
  expect(found.usageOfRows).toEqual(found.usage);
});

/** Answers whatever a worker holds. */
async function finishHeld(batchKey: bigint, worker: string) {
  const held = await db.sql<{ first: number; last: number }[]>`
    select first, last from chunks where batch_key = ${batchKey} and owner = ${worker}`;
  const results = held.flatMap(({ first, last }) => range(first, last)).map((at) => succeeded(at));
  if (results.length > 0) await recordAnswers(db.sql, { batchKey, worker, results });
}

test('counters equal the rows at every instant while flushes, reclaims, releases and a cancel run', async () => {
  const batchKey = await insertBatch(db.sql, { items: 4_000, chunkSize: 20 });
  const id = await readId(db.sql, batchKey);
  const samples: Audit[] = [];
  let over = false;

  async function sample() {
    while (!over) samples.push(await audit(db.sql, batchKey));
  }
  async function work(seed: number) {
    for (let round = seed; !over; round += 1) {
      const worker = await enterWorker(db);
      const chunks = await claimOf(db.sql, batchKey, worker, 3);
      if (chunks.length === 0) return;
      const items = chunks.flatMap(({ first, last }) => range(first, last));
      const answers = items.filter((at) => (at + round) % 4 !== 0).map((at) => succeeded(at));
      const half = Math.floor(answers.length / 2);
      await Promise.all([
        recordAnswers(db.sql, { batchKey, worker, results: answers.slice(0, half + 5) }),
        recordAnswers(db.sql, { batchKey, worker, results: answers.slice(half) }),
      ]);
      if (round % 2 === 0) {
        const left = chunks.map(({ first, last }) => ({
          first,
          index: first + (round % (last - first + 1)),
        }));
        await raiseSentMarks(
          db.sql,
          worker,
          left.map(({ first, index }) => ({ batchKey, first, sentTo: index, repeats: 1 })),
        );
        await releaseChunks(db.sql, {
          worker,
          batchKey,
          unanswered: left.map(({ first, index }) =>
            unanswered(index, { first, requests: 2, cutOff: 1 }),
          ),
        });
      } else await deleteWorker(db, worker);
    }
  }
  async function reclaim() {
    while (!over) await reclaimChunks(db.sql);
  }
  async function cancel() {
    while (sum((await audit(db.sql, batchKey)).rows) < 1_500);
    await beginCancel(db, 'local', id);
    while ((await audit(db.sql, batchKey)).status !== 'CANCELLED') {
      await finishChunks(db.sql, { batchKey, status: 'CANCELLED' });
    }
    over = true;
  }
  await Promise.all([sample(), sample(), cancel(), reclaim(), ...range(1, 6).map(work)]);

  const final = await audit(db.sql, batchKey);
  expect(sum(final.rows)).toBe(4_000);
  expect(final.rows.cancelled).toBeGreaterThan(0);
  for (const { counted, rows, done, usage, usageOfRows, spent, ledger } of [...samples, final]) {
    expect(counted).toEqual(rows);
    expect(done).toBe(sum(rows));
    expect(usageOfRows).toEqual(usage);
    expect(ledger).toEqual(spent);
  }
  expect(samples.length).toBeGreaterThan(20);
});

test('nothing appears behind a cursor while eight workers flush', async () => {
  const batchKey = await insertBatch(db.sql, { items: 4_000, chunkSize: 10 });
  const [{ fileKey }] = (await db.sql`
    select file_key as "fileKey" from batches where key = ${batchKey}`) as [{ fileKey: bigint }];
  const read: number[] = [];
  let writing = true;

  async function work() {
    const worker = await enterWorker(db);
    for (;;) {
      const [chunk] = await claimOf(db.sql, batchKey, worker);
      if (!chunk) return;
      const items = range(chunk.first, chunk.last);
      for (const part of [items.slice(0, 3), items.slice(3)]) {
        const results = part.map((at) => succeeded(at));
        await recordAnswers(db.sql, { batchKey, worker, results });
      }
    }
  }
  async function follow() {
    let position = { seq: 0, index: -1 };
    for (;;) {
      const last = !writing;
      const page = await readResultsAfter(db.sql, { batchKey, fileKey }, position, {
        limit: 100,
        maxBytes: 1_000_000,
      });
      read.push(...page.map(({ index }) => index));
      const end = page.at(-1);
      if (end) position = { seq: end.seq, index: end.index };
      else if (last) return;
    }
  }
  await Promise.all([
    follow(),
    Promise.all(range(1, 8).map(work)).then(() => {
      writing = false;
    }),
  ]);

  expect(read).toHaveLength(4_000);
  expect(new Set(read).size).toBe(4_000);
});

test('a flush to a batch that has gone says so', async () => {
  const worker = await enterWorker(db);

  const written = await recordAnswers(db.sql, { batchKey: 0n, worker, results: [succeeded(0)] });

  expect(written).toBeNull();
});

test('a batch is ended only as it is being ended', async () => {
  const batchKey = await insertBatch(db.sql, { items: 10 });

  const running = await finishChunks(db.sql, { batchKey, status: 'CANCELLED' });
  await db.sql`update batches set ending = 'EXPIRED' where key = ${batchKey}`;
  const otherwise = await finishChunks(db.sql, { batchKey, status: 'CANCELLED' });
  const rightly = await finishChunks(db.sql, { batchKey, status: 'EXPIRED' });
  const again = await finishChunks(db.sql, { batchKey, status: 'EXPIRED' });

  expect([running, otherwise, again]).toEqual([null, null, null]);
  expect(rightly).toMatchObject({
    recorded: 10,
    items: [{ status: 'EXPIRED', errorCode: null, items: 10 }],
    status: 'EXPIRED',
    ending: null,
  });
});
