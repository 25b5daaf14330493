import pino from 'pino';
import { expect, it } from 'vitest';
import { type BatchRecord, readBatchByKey } from '../../../src/db/batches.ts';
import { hideBatch, listPurgeable, purgeBatchStep } from '../../../src/db/deletions.ts';
import { retryItems } from '../../../src/db/retries.ts';
import { createSummaries } from '../../../src/engine/summaries/summaries.ts';
import { confidences, labelsOf } from '../../../src/engine/summaries/tallies.ts';
import { timeline } from '../../../src/engine/summaries/timeline.ts';
import {
  claimOf,
  enterWorker,
  failed,
  insertBatch,
  range,
  recordAnswers,
  succeeded,
} from '../../db/queue.ts';
import { openTestDatabase } from '../../support/database.ts';

const { db } = await openTestDatabase({ maxConnections: 8 });

const log = pino({ level: 'silent' });
const labels = labelsOf({ member: 'label', isList: false });
const kept = { stepRows: 7, storeRows: 1 };
const notKept = { stepRows: 7, storeRows: 1_000 };

async function readRecord(batchKey: bigint): Promise<BatchRecord> {
  const batch = await readBatchByKey(db, batchKey);
  if (!batch) throw new Error('the batch has gone');
  return batch;
}

/** A batch that a worker holds; `answer` records one flush and gives the batch as it is then. */
async function hold(items: number) {
  const batchKey = await insertBatch(db.sql, { items });
  const worker = await enterWorker(db);
  await claimOf(db.sql, batchKey, worker, items);
  return {
    batchKey,
    async answer(results: Parameters<typeof recordAnswers>[1]['results']) {
      await recordAnswers(db.sql, { batchKey, worker, results });
      return await readRecord(batchKey);
    },
    again: () => claimOf(db.sql, batchKey, worker, items),
  };
}

const yes = (index: number) => succeeded(index, { label: 'yes', confidence: 0.75 });
const no = (index: number) => succeeded(index, { label: 'no', confidence: null });
const sorted = (counts: ReadonlyMap<unknown, number>) => Object.fromEntries([...counts].sort());
const sumOf = (counts: ReadonlyMap<unknown, { succeeded: number; failed: number }>) => {
  const sum = { succeeded: 0, failed: 0 };
  for (const one of counts.values()) {
    sum.succeeded += one.succeeded;
    sum.failed += one.failed;
  }
  return sum;
};

it('counts for each reader what there was when he read the batch, in any order', async () => {
  const { answer } = await hold(30);
  const records = [
    await answer([yes(0), no(1)]),
    await answer([...range(2, 12).map(yes), failed(13)]),
    await answer(range(14, 29).map(no)),
  ];
  const expected = [
    { no: 1, yes: 1 },
    { no: 1, yes: 12 },
    { no: 17, yes: 12 },
  ];
  const summaries = createSummaries({ db, log }, notKept);

  for (const at of [0, 2, 1, 0, 2]) {
    const batch = records[at] as BatchRecord;
    expect(sorted(await summaries.read(db, batch, labels))).toEqual(expected[at]);
    expect(sumOf((await summaries.read(db, batch, timeline)).intervals)).toEqual({
      succeeded: batch.succeeded,
      failed: batch.failed,
    });
  }
});

it('counts once for readers who ask at once', async () => {
  const { answer } = await hold(30);
  const batch = await answer(range(0, 29).map(yes));
  const summaries = createSummaries({ db, log }, notKept);
  let counted = 0;
  const watched: typeof labels = {
    ...labels,
    count: (...args) => {
      counted += 1;
      return labels.count(...args);
    },
  };

  const all = await Promise.all(range(1, 5).map(() => summaries.read(db, batch, watched)));

  expect(all.map(sorted)).toEqual(range(1, 5).map(() => ({ yes: 30 })));
  expect(counted).toBe(1);
});

it('goes on behind a reader whose statement failed', async () => {
  const { answer } = await hold(10);
  const batch = await answer(range(0, 9).map(yes));
  const summaries = createSummaries({ db, log }, notKept);
  const failing = { ...labels, count: () => Promise.reject(new Error('the client has gone')) };

  const first = summaries.read(db, batch, failing);
  const second = summaries.read(db, batch, labels);

  await expect(first).rejects.toThrow('the client has gone');
  expect(sorted(await second)).toEqual({ yes: 10 });
});

it('counts many rows in steps', async () => {
  const { answer } = await hold(30);
  for (const at of range(0, 8)) await answer(range(at * 3, at * 3 + 2).map(yes));
  const batch = await answer(range(27, 29).map(no));
  const stretches: number[] = [];
  const watched: typeof labels = {
    ...labels,
    count: (sql, counts, stretch, sign) => {
      stretches.push(stretch.upTo - stretch.after);
      return labels.count(sql, counts, stretch, sign);
    },
  };

  const counts = await createSummaries({ db, log }, notKept).read(db, batch, watched);

  expect(sorted(counts)).toEqual({ no: 3, yes: 27 });
  expect(stretches.length).toBeGreaterThan(2);
  expect(Math.max(...stretches)).toBeLessThan(5);
});

it('goes on after a restart from what was kept', async () => {
  const { answer, batchKey } = await hold(30);
  const before = await answer(range(0, 9).map(yes));
  const summaries = createSummaries({ db, log }, kept);
  for (const summary of [labels, confidences, timeline] as (typeof labels)[]) {
    await summaries.read(db, before, summary);
  }
  // What is counted again would be missing.
  await db.sql`delete from results where batch_key = ${batchKey}`;
  const after = await answer(range(10, 14).map(no));

  const restarted = createSummaries({ db, log }, kept);

  expect(sorted(await restarted.read(db, after, labels))).toEqual({ no: 5, yes: 10 });
  expect(sorted(await restarted.read(db, after, confidences))).toEqual({ 750: 10 });
  const line = await restarted.read(db, after, timeline);
  expect(sumOf(line.intervals)).toEqual({ succeeded: 15, failed: 0 });
});

it('keeps nothing of a batch with few answers, unless it is told to', async () => {
  const { answer, batchKey } = await hold(10);
  const batch = await answer(range(0, 9).map(yes));
  const summaries = createSummaries({ db, log }, notKept);
  const stored = () => db.sql`select seq from batch_summaries where batch_key = ${batchKey}`;

  await summaries.read(db, batch, labels);
  const few = await stored();
  await summaries.read(db, batch, labels, { keep: true });

  expect(few).toHaveLength(0);
  expect(await stored()).toHaveLength(1);
});

it('counts the times of answers again after a retry, also where they were kept', async () => {
  const { answer, again, batchKey } = await hold(30);
  const before = await answer([...range(0, 9).map(yes), ...range(10, 29).map((at) => failed(at))]);
  const summaries = createSummaries({ db, log }, kept);
  await summaries.read(db, before, timeline);
  const { id, owner } = before;
  await retryItems(db.sql, { owner, id });
  const retried = await readRecord(batchKey);
  const restarted = createSummaries({ db, log }, kept);

  for (const one of [summaries, restarted]) {
    const { intervals } = await one.read(db, retried, timeline);
    expect(sumOf(intervals)).toEqual({ succeeded: 10, failed: 0 });
  }
  await again();
  const after = await answer([...range(10, 27).map(no), failed(28)]);
  for (const one of [summaries, restarted, createSummaries({ db, log }, kept)]) {
    const { intervals } = await one.read(db, after, timeline);
    expect(sumOf(intervals)).toEqual({ succeeded: 28, failed: 1 });
    expect(sorted(await one.read(db, after, labels))).toEqual({ no: 18, yes: 10 });
  }
});

it('lets intervals grow with the time that a batch takes', async () => {
  const { answer, batchKey } = await hold(30);
  const summaries = createSummaries({ db, log }, notKept);
  const first = await answer([yes(0), yes(1)]);
  const begun = await summaries.read(db, first, timeline);
  expect(begun.intervalMs).toBe(100);
  await answer([failed(2)]);
  await db.sql`
    update results set completed_at = completed_at + interval '3 days'
    where batch_key = ${batchKey} and index = 2`;
  const last = await answer([yes(3)]);
  await db.sql`
    update results set completed_at = completed_at + interval '6 days'
    where batch_key = ${batchKey} and index = 3`;

  for (const one of [summaries, createSummaries({ db, log }, notKept)]) {
    const { intervals, intervalMs } = await one.read(db, last, timeline);
    expect([...intervals.values()].map((at) => [at.succeeded, at.failed])).toEqual([
      [2, 0],
      [0, 1],
      [1, 0],
    ]);
    const days = [...intervals.keys()].map((at) => Math.round((at * intervalMs) / 86_400_000));
    expect(days).toEqual([0, 3, 6]);
    expect(Math.max(...intervals.keys())).toBeLessThan(2_048);
    expect(Math.max(...intervals.keys())).toBeGreaterThanOrEqual(1_024);
  }
});

it('keeps nothing of a deleted batch', async () => {
  const { answer, batchKey } = await hold(10);
  const batch = await answer(range(0, 9).map(yes));
  const summaries = createSummaries({ db, log }, kept);
  await summaries.read(db, batch, labels);

  await hideBatch(db, batch.owner, batch.id);
  await summaries.read(db, batch, confidences);
  await db.sql`update chunks set state = 'done', owner = null where batch_key = ${batchKey}`;
  expect(await listPurgeable(db.sql)).toContain(batchKey);
  let hasMore = true;
  while (hasMore) hasMore = await purgeBatchStep(db.sql, batchKey);

  expect(await db.sql`select field from batch_summaries where batch_key = ${batchKey}`).toEqual([]);
});
