/** The items of a preview are chosen from all parts of a batch, and hold back the rest. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginCancel } from '../../src/db/batch-life.ts';
import { claimWithin } from '../../src/db/budgets.ts';
import {
  choosePreview,
  listUnchosen,
  pausePreviews,
  resumePreview,
} from '../../src/db/previews.ts';
import { planProviderBatch } from '../../src/db/provider-batches.ts';
import { reclaimChunks } from '../../src/db/reclaims.ts';
import { rescueBatches } from '../../src/db/rescues.ts';
import { retryItems } from '../../src/db/retries.ts';
import { findTwins, listTwinsLeft } from '../../src/db/twins.ts';
import { deleteWorker } from '../../src/db/workers.ts';
import { openTestDatabase } from '../support/database.ts';
import { runsOf } from '../support/random.ts';
import {
  type Answer,
  audit,
  claimOf,
  enterWorker,
  failed,
  finishAllEnding,
  insertBatch,
  range,
  readId,
  recordAnswers,
  succeeded,
  unlimited,
} from './queue.ts';

const { db } = await openTestDatabase();

interface Piece {
  first: number;
  last: number;
  done: number;
  twins: number;
  state: 'open' | 'leased' | 'done' | 'held';
  inPreview: boolean;
}

async function readChunks(batchKey: bigint): Promise<Piece[]> {
  return [
    ...(await db.sql<Piece[]>`
      select first, last, done, twins, state, in_preview is not null as "inPreview"
      from chunks where batch_key = ${batchKey} order by first`),
  ];
}

const stateOf = async (batchKey: bigint, state: Piece['state']) =>
  (await readChunks(batchKey)).filter((chunk) => chunk.state === state);

async function readPause(batchKey: bigint): Promise<string | null> {
  const [batch] = await db.sql<{ reason: string | null }[]>`
    select pause_reason as reason from batches where key = ${batchKey}`;
  return batch?.reason ?? null;
}

/** Makes the rows of a batch equal to those before with the same index modulo `kinds`. */
async function makeTwins(batchKey: bigint, kinds: number): Promise<void> {
  await db.sql`
    update rows set content = 'text ' || index % ${kinds}::int
    where file_key = (select file_key from batches where key = ${batchKey})`;
  await db.sql`update batches set twins_found = false where key = ${batchKey}`;
  await findTwins(db.sql, batchKey, [{ kind: 'content' }]);
}

async function askPreview(
  batchKey: bigint,
  answer: (index: number) => Answer = (index) => succeeded(index),
): Promise<number[]> {
  const worker = await enterWorker(db);
  const asked: number[] = [];
  for (;;) {
    const chunks = await claimOf(db.sql, batchKey, worker);
    if (chunks.length === 0) return asked.sort((a, b) => a - b);
    const indexes = chunks.flatMap(({ first, last }) => range(first, last));
    asked.push(...indexes);
    await recordAnswers(db.sql, { batchKey, worker, results: indexes.map(answer) });
  }
}

describe('the items of a preview', () => {
  const shape = fc
    .record({
      items: fc.integer({ min: 11, max: 300 }),
      chunkSize: fc.integer({ min: 1, max: 40 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      kinds: fc.option(fc.integer({ min: 1, max: 300 })),
    })
    .map(({ items, share, ...rest }) => ({
      ...rest,
      items,
      preview: 10 + Math.floor(share * (items - 11)),
    }));

  test('are one of each of equal parts, and the chunks still partition the batch', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ items, chunkSize, preview, kinds }) => {
        const batchKey = await insertBatch(db.sql, { items, chunkSize, previewItems: preview });
        if (kinds !== null) await makeTwins(batchKey, kinds);
        const asked = range(0, Math.min(items, kinds ?? items) - 1);
        const parts = Math.min(preview, asked.length);

        const chosen = await choosePreview(db.sql, batchKey);

        const chunks = await readChunks(batchKey);
        expect(chosen).toBe(parts);
        expect(chunks.flatMap(({ first, last }) => range(first, last))).toEqual(
          range(0, items - 1),
        );
        for (const { first, last, twins, done, state, inPreview } of chunks) {
          const own = range(first, last).filter((index) => !asked.includes(index)).length;
          expect({ twins, done }).toEqual({ twins: own, done: 0 });
          const rest = own === last - first + 1 ? 'done' : 'held';
          expect(state).toBe(inPreview ? 'open' : rest);
        }
        const open = chunks.filter(({ state }) => state === 'open');
        for (const [part, { first, last }] of open.entries()) {
          expect(last).toBe(first);
          const place = asked.indexOf(first);
          expect(place).toBeGreaterThanOrEqual(Math.floor((part * asked.length) / parts));
          expect(place).toBeLessThan(Math.floor(((part + 1) * asked.length) / parts));
        }
        expect(open).toHaveLength(parts);
        expect(await choosePreview(db.sql, batchKey)).toBeNull();
        await db.sql`update batches set deleted_at = now() where key = ${batchKey}`;
      }),
      runsOf(40),
    );
  });

  test('are the same for the same id, and others for another', async () => {
    const choose = async (id: string) => {
      const batchKey = await insertBatch(db.sql, { items: 2_000, previewItems: 20 });
      await db.sql`update batches set id = ${id} where key = ${batchKey}`;
      await choosePreview(db.sql, batchKey);
      await db.sql`update batches set id = ${`used ${batchKey}`} where key = ${batchKey}`;
      return (await stateOf(batchKey, 'open')).map(({ first }) => first);
    };

    const [one, again, other] = [await choose('a'), await choose('a'), await choose('b')];

    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  test('are chosen of a draft, once its identical rows are known', async () => {
    const batchKey = await insertBatch(db.sql, { items: 50, previewItems: 10, status: 'DRAFT' });
    await db.sql`update batches set twins_found = false where key = ${batchKey}`;
    expect(await listUnchosen(db.sql, 100)).not.toContain(batchKey);
    expect(await choosePreview(db.sql, batchKey)).toBeNull();

    await findTwins(db.sql, batchKey, [{ kind: 'content' }]);

    expect(await listUnchosen(db.sql, 100)).toContain(batchKey);
    expect(await choosePreview(db.sql, batchKey)).toBe(10);
    expect(await listUnchosen(db.sql, 100)).not.toContain(batchKey);
  });
});

test('a claim takes as many items of small chunks as of a usual one', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 1_000, chunkSize: 100, previewItems: 250 });
  await choosePreview(db.sql, batchKey);
  const sizes = [];
  for (let at = 0; at < 4; at += 1) sizes.push((await claimOf(db.sql, batchKey, worker)).length);

  await resumePreview(db.sql, 'local', await readId(db.sql, batchKey));
  const rest = await claimOf(db.sql, batchKey, worker, 2);

  expect(sizes).toEqual([100, 100, 50, 0]);
  const items = rest.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  expect(items).toBeGreaterThanOrEqual(200);
  expect(items).toBeLessThan(210);
});

test('a claim within a limit takes as many items of small chunks, and no more than it may', async () => {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, {
    items: 1_000,
    chunkSize: 100,
    previewItems: 250,
    maxCostUsd: 130,
  });
  await choosePreview(db.sql, batchKey);
  await db.sql`update batches set quote = '{}', cost_usd = 20, succeeded = 20 where key = ${batchKey}`;
  const claim = async () => {
    const owner = { owner: 'local', limits: unlimited };
    const claimed = await claimWithin(db.sql, { batchKey, worker, limit: 1, ...owner });
    return claimed?.chunks.length;
  };

  const sizes = [await claim(), await claim(), await claim()];

  expect(sizes).toEqual([100, 10, 0]);
});

test('claims beside each other share a preview, and take none of it twice', async () => {
  const batchKey = await insertBatch(db.sql, { items: 3_000, chunkSize: 100, previewItems: 900 });
  await choosePreview(db.sql, batchKey);

  const claimed = await Promise.all(
    range(1, 6).map(async () => {
      const worker = await enterWorker(db);
      const firsts: number[] = [];
      for (;;) {
        const chunks = await claimOf(db.sql, batchKey, worker);
        if (chunks.length === 0) return firsts;
        firsts.push(...chunks.map(({ first }) => first));
      }
    }),
  );

  expect(new Set(claimed.flat()).size).toBe(900);
  expect(claimed.flat()).toHaveLength(900);
});

describe('a batch with a preview', () => {
  test('is paused when the last item of it is final, and not before', async () => {
    const worker = await enterWorker(db);
    const batchKey = await insertBatch(db.sql, { items: 60, previewItems: 10 });
    expect(await pausePreviews(db.sql, batchKey)).toEqual([]);
    await choosePreview(db.sql, batchKey);
    const chunks = await claimOf(db.sql, batchKey, worker);
    expect(await pausePreviews(db.sql, batchKey)).toEqual([]);

    const results = chunks.map(({ first }) => succeeded(first));
    await recordAnswers(db.sql, { batchKey, worker, results: results.slice(1) });
    expect(await pausePreviews(db.sql, batchKey)).toEqual([]);
    await recordAnswers(db.sql, { batchKey, worker, results: results.slice(0, 1) });

    expect(await pausePreviews(db.sql)).toEqual([batchKey]);
    expect(await pausePreviews(db.sql)).toEqual([]);
    expect(await readPause(batchKey)).toBe('PREVIEW');
  });

  test('runs the rest once it is resumed, and never the same again', async () => {
    const batchKey = await insertBatch(db.sql, { items: 60, previewItems: 10 });
    await choosePreview(db.sql, batchKey);
    const asked = await askPreview(batchKey);

    const id = await readId(db.sql, batchKey);
    await db.sql`update batches set pause_reason = 'OWNER_BUDGET' where key = ${batchKey}`;
    expect(await resumePreview(db.sql, 'local', id)).toBeNull();
    await db.sql`update batches set pause_reason = 'PREVIEW' where key = ${batchKey}`;
    expect(await resumePreview(db.sql, 'other', id)).toBeNull();
    expect(await resumePreview(db.sql, 'local', id, { hasLimit: true })).toBe(batchKey);
    expect(await resumePreview(db.sql, 'local', id)).toBeNull();
    await db.sql`update batches set pause_reason = null where key = ${batchKey}`;
    const rest = await askPreview(batchKey);

    expect(asked).toHaveLength(10);
    expect([...asked, ...rest].sort((a, b) => a - b)).toEqual(range(0, 59));
    expect((await audit(db.sql, batchKey)).status).toBe('COMPLETED');
  });

  test('loses nothing when a worker dies in its preview', async () => {
    const worker = await enterWorker(db);
    const batchKey = await insertBatch(db.sql, { items: 60, previewItems: 10 });
    await choosePreview(db.sql, batchKey);
    await claimOf(db.sql, batchKey, worker);
    await db.sql`update chunks set sent_to = last where batch_key = ${batchKey} and owner = ${worker}`;

    await deleteWorker(db, worker);
    expect((await reclaimChunks(db.sql)).map((one) => one.key)).toContain(batchKey);

    expect(await pausePreviews(db.sql, batchKey)).toEqual([]);
    expect(await askPreview(batchKey)).toHaveLength(10);
    expect(await pausePreviews(db.sql, batchKey)).toEqual([batchKey]);
  });

  test('puts failed rows of the preview back in it, and leaves the others', async () => {
    const batchKey = await insertBatch(db.sql, { items: 60, previewItems: 10 });
    await choosePreview(db.sql, batchKey);
    const asked = await askPreview(batchKey, (index) => failed(index));

    await retryItems(db.sql, { owner: 'local', id: await readId(db.sql, batchKey) });

    expect(await askPreview(batchKey)).toEqual(asked);
    expect(await pausePreviews(db.sql, batchKey)).toEqual([batchKey]);
  });

  test('is cancelled as a whole, and has the same preview after a retry', async () => {
    const batchKey = await insertBatch(db.sql, { items: 60, previewItems: 10 });
    const id = await readId(db.sql, batchKey);
    await choosePreview(db.sql, batchKey);
    const before = await stateOf(batchKey, 'open');

    await beginCancel(db, 'local', id);
    await finishAllEnding(db);
    expect(await audit(db.sql, batchKey)).toMatchObject({
      status: 'CANCELLED',
      counted: { cancelled: 60 },
    });
    expect(await pausePreviews(db.sql, batchKey)).toEqual([]);
    await retryItems(db.sql, { owner: 'local', id });

    expect(await stateOf(batchKey, 'open')).toEqual(before);
    expect(await stateOf(batchKey, 'done')).toEqual([]);
  });

  test('chooses of what a retry has put back, where it was cancelled before', async () => {
    const batchKey = await insertBatch(db.sql, { items: 60, previewItems: 10 });
    const id = await readId(db.sql, batchKey);
    await beginCancel(db, 'local', id);
    await finishAllEnding(db);

    await retryItems(db.sql, { owner: 'local', id, customIds: range(5, 34).map(String) });
    expect(await choosePreview(db.sql, batchKey)).toBe(10);

    const open = await stateOf(batchKey, 'open');
    expect(open.every(({ first }) => first >= 5 && first <= 34)).toBe(true);
    expect(open.filter(({ first }) => first < 20)).toHaveLength(5);
    expect(await askPreview(batchKey)).toHaveLength(10);
    await resumePreview(db.sql, 'local', id);
    await askPreview(batchKey);
    expect(await audit(db.sql, batchKey)).toMatchObject({
      status: 'CANCELLED',
      counted: { succeeded: 30, cancelled: 30 },
    });
  });

  test('has no twins left to copy before the rest is asked', async () => {
    const batchKey = await insertBatch(db.sql, { items: 60, previewItems: 10 });
    await makeTwins(batchKey, 30);
    expect(await listTwinsLeft(db.sql)).not.toContain(batchKey);

    await choosePreview(db.sql, batchKey);
    await askPreview(batchKey);

    expect(await listTwinsLeft(db.sql)).not.toContain(batchKey);
  });

  test('is in no job of its provider, and is not rescued, before it is resumed', async () => {
    const worker = await enterWorker(db);
    const batchKey = await insertBatch(db.sql, { items: 60, previewItems: 10 });
    const id = await readId(db.sql, batchKey);
    await db.sql`
      update batches set execution = 'PROVIDER_BATCH', rescue = true, expires_at = now() + interval '10 seconds'
      where key = ${batchKey}`;
    await choosePreview(db.sql, batchKey);
    const limits = {
      maxChunks: 100,
      maxItems: 100,
      maxRounds: 3,
      busyOwners: [],
      limits: unlimited,
    };
    const plan = async (name: string) =>
      await planProviderBatch(db.sql, { id: name, worker, ...limits });

    expect(await plan('job-1')).toBeNull();
    expect(await rescueBatches(db.sql)).not.toContain(batchKey);
    expect(await askPreview(batchKey)).toHaveLength(10);
    await resumePreview(db.sql, 'local', id);

    expect(await claimOf(db.sql, batchKey, worker)).toEqual([]);
    expect(await plan('job-2')).toMatchObject({ batchKey });
    expect(await stateOf(batchKey, 'open')).toEqual([]);
  });
});
