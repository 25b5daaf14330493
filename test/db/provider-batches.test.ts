/** When a provider batch is taken in hand, and by whom. */
import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { beginCancel, beginFailure } from '../../src/db/batch-life.ts';
import { readBatchByKey } from '../../src/db/batches.ts';
import { hideBatch, listPurgeable } from '../../src/db/deletions.ts';
import { holdProviderBatch } from '../../src/db/provider-batch-hold.ts';
import {
  changeProviderBatch,
  endProviderBatch,
  planProviderBatch,
  releaseProviderBatch,
  suspendProviderBatch,
} from '../../src/db/provider-batches.ts';
import { deleteWorker } from '../../src/db/workers.ts';
import { changeOf } from '../../src/engine/provider-jobs/job.ts';
import { openTestDatabase } from '../support/database.ts';
import { enterWorker, insertBatch, unlimited } from './queue.ts';

const { db } = await openTestDatabase();

afterEach(async () => {
  await db.sql`delete from batches`;
  await db.sql`delete from provider_batches`;
});

async function insertLaneBatch(owner = 'local'): Promise<bigint> {
  const key = await insertBatch(db.sql, { items: 30, owner });
  await db.sql`update batches set execution = 'PROVIDER_BATCH' where key = ${key}`;
  return key;
}

async function plan(
  worker: string,
  busyOwners: readonly string[] = [],
  more: { maxChunks?: number; maxItems?: number } = {},
): Promise<string | null> {
  const id = `pbatch_${randomUUID()}`;
  const limits = { maxChunks: 10_000, maxItems: 100_000, maxRounds: 3, ...more };
  const planned = await planProviderBatch(db.sql, {
    id,
    worker,
    busyOwners,
    ...limits,
    limits: unlimited,
  });
  return planned === null ? null : id;
}

/** A provider batch of a new batch in the hands of a new worker. */
async function takeNew(limits: { maxChunks?: number; maxItems?: number } = {}) {
  const batchKey = await insertLaneBatch();
  const worker = await enterWorker(db);
  const id = await plan(worker, [], limits);
  const held = await holdProviderBatch(db.sql, { worker, id: id ?? '' });
  if (!held) throw new Error('nothing was planned');
  return { batchKey, worker, held, mine: { ...held, worker } };
}

async function holdDue(worker: string, ids: readonly string[] = []) {
  const held = await holdProviderBatch(db.sql, { worker, id: null, ids, busyOwners: [] });
  return held?.id ?? null;
}

async function idOf(batchKey: bigint): Promise<string> {
  return (await readBatchByKey(db, batchKey))?.id ?? '';
}

test('what a live worker has lost sight of is taken again by that worker alone', async () => {
  const { worker, held } = await takeNew();

  const other = await holdDue(await enterWorker(db));
  const known = await holdDue(worker, [held.id]);
  const lost = await holdDue(worker);

  expect([other, known, lost]).toEqual([null, null, held.id]);
});

test('live calls that were under way are counted once, whoever takes the provider batch again', async () => {
  const { batchKey, worker, mine } = await takeNew();
  await changeProviderBatch(db, mine, { liveCalls: 4 });

  await holdDue(worker);
  await changeProviderBatch(db, mine, { liveCalls: 2 });
  await deleteWorker(db, worker);
  const successor = await enterWorker(db);
  await holdDue(successor);
  await holdDue(successor);

  expect((await readBatchByKey(db, batchKey))?.resentRequests).toBe(6);
});

test('a job that may exist is looked for no sooner because its batch is cancelled', async () => {
  const { batchKey, worker, mine } = await takeNew();
  await changeProviderBatch(db, mine, { state: 'creating' });
  await releaseProviderBatch(db, mine, 60_000);

  await beginCancel(db, 'local', await idOf(batchKey));

  expect(await holdDue(worker)).toBeNull();
});

test.each(['preparing', 'working'] as const)(
  'a cancel does not wait for the next look at a job in state %s',
  async (state) => {
    const { batchKey, worker, held, mine } = await takeNew();
    await changeProviderBatch(db, mine, { state });
    await releaseProviderBatch(db, mine, 60_000);

    await beginCancel(db, 'local', await idOf(batchKey));

    expect(await holdDue(worker)).toBe(held.id);
  },
);

test('a batch that fails gets its chunks back at once from all that hold some, and only once', async () => {
  const { batchKey, worker, held, mine } = await takeNew();
  await changeProviderBatch(db, mine, { state: 'reading' });
  await releaseProviderBatch(db, mine, 60_000);

  await beginFailure(db, batchKey, { code: 'QUOTA_EXHAUSTED', message: 'no money left' });
  const first = await holdDue(worker);
  await suspendProviderBatch(db.sql, mine);
  const second = await holdDue(worker);

  expect([first, second]).toEqual([held.id, null]);
});

test('the job of a batch that is deleted while it fails is taken, brought to its end, and the batch purged', async () => {
  const { batchKey, worker, held, mine } = await takeNew();
  await beginFailure(db, batchKey, { code: 'QUOTA_EXHAUSTED', message: 'no money left' });
  await suspendProviderBatch(db.sql, mine);
  await hideBatch(db, 'local', await idOf(batchKey));

  const taken = await holdProviderBatch(db.sql, { worker, id: null, ids: [], busyOwners: [] });
  await endProviderBatch(db.sql, mine, { status: 'ended', round: false });

  expect(taken).toMatchObject({ id: held.id, unwanted: true });
  expect(await listPurgeable(db.sql)).toContain(batchKey);
});

test('a provider batch whose batch has ended without it is unwanted', async () => {
  const { batchKey, held, worker } = await takeNew();
  await db.sql`update batches set status = 'COMPLETED', completed_at = now() where key = ${batchKey}`;
  await deleteWorker(db, worker);

  const successor = await enterWorker(db);
  const taken = await holdProviderBatch(db.sql, {
    worker: successor,
    id: null,
    ids: [],
    busyOwners: [],
  });

  expect(taken).toMatchObject({ id: held.id, unwanted: true });
});

test.each([
  ['items', { maxItems: 20 }],
  ['chunks', { maxChunks: 2 }],
])('a provider batch takes as many %s as it may', async (_, limits) => {
  const { batchKey, worker } = await takeNew(limits);
  await plan(worker, [], limits);

  const planned = await db.sql<{ firsts: string }[]>`
    select firsts::text as firsts from provider_batches where batch_key = ${batchKey} order by key`;
  expect(planned.map(({ firsts }) => firsts)).toEqual(['{0,10}', '{20}']);
});

test('items that have an answer take no room in a provider batch, and one chunk always fits', async () => {
  const batchKey = await insertLaneBatch();
  const worker = await enterWorker(db);
  await db.sql`update chunks set done = 8 where batch_key = ${batchKey} and first < 20`;

  await plan(worker, [], { maxItems: 4 });
  await plan(worker, [], { maxItems: 4 });

  const planned = await db.sql<{ firsts: string }[]>`
    select firsts::text as firsts from provider_batches where batch_key = ${batchKey} order by key`;
  expect(planned.map(({ firsts }) => firsts)).toEqual(['{0,10}', '{20}']);
});

test('one that was just made keeps no other from being planned, although its time is rounded', async () => {
  const { worker, held } = await takeNew({ maxChunks: 1 });
  await db.sql`update provider_batches set due_at = now() + interval '1 minute' where key = ${held.key}`;

  expect(await plan(worker)).not.toBeNull();
});

test('while one waits because its provider did not take it, no other one of its batch is planned', async () => {
  const { batchKey, worker, mine } = await takeNew({ maxChunks: 1 });
  await releaseProviderBatch(db, mine, 60_000);

  const meanwhile = await plan(worker);
  await db.sql`update provider_batches set due_at = now() - interval '1 second' where batch_key = ${batchKey}`;
  const then = await plan(worker);

  expect(meanwhile).toBeNull();
  expect(then).not.toBeNull();
});

test('an owner with enough steps under way waits, and another is served', async () => {
  const greedy = await insertLaneBatch('greedy');
  const modest = await insertLaneBatch('modest');
  const worker = await enterWorker(db);

  const planned = await plan(worker, ['greedy']);
  const held = await holdProviderBatch(db.sql, { worker, id: planned ?? '' });

  expect(held?.batchKey).toBe(modest);
  expect(await plan(worker, ['greedy'])).toBeNull();
  await plan(worker);
  await db.sql`update provider_batches set worker = null`;
  const due = await holdProviderBatch(db.sql, {
    worker,
    id: null,
    ids: [],
    busyOwners: ['modest'],
  });
  expect(due?.batchKey).toBe(greedy);
});

test('a batch is read whatever counts its provider claims', async () => {
  const { batchKey, mine } = await takeNew();
  const most = 2 ** 31 - 1;
  await changeProviderBatch(db, mine, { succeeded: most, failed: most });

  expect((await readBatchByKey(db, batchKey))?.providerState).toContain(String(2 * most));
});

test.each([
  ['a year beyond dates', { expiresAt: new Date(1.79e15) }],
  ['a year before dates', { expiresAt: new Date('-000044-03-15T00:00:00Z') }],
  ['a status with characters that text cannot hold', { status: 'in\u0000progress' }],
  ['a status without end', { status: 'x'.repeat(100_000) }],
  [
    'counts without sense',
    { counts: { succeeded: -1, failed: 1e300, cancelled: Number.NaN, expired: 0.5 } },
  ],
])('%s does not keep a job from being written down', async (_, said) => {
  const { mine } = await takeNew();
  const job = {
    providerId: 'job-1',
    status: 'working',
    phase: 'working',
    counts: { succeeded: 0, failed: 0, cancelled: 0, expired: 0 },
    expiresAt: null,
    results: null,
    problems: [],
  } as const;

  expect(await changeProviderBatch(db, mine, changeOf({ ...job, ...said }))).toBe(true);
});
