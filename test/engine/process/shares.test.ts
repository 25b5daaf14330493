import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/driver/client.ts';
import { migrateDatabase } from '../../../src/db/migrate.ts';
import { countProcesses, deleteWorker, insertWorker } from '../../../src/db/workers.ts';
import { createShares, fractionOf } from '../../../src/engine/process/shares.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { until } from '../../support/until.ts';

const leaseMs = 1_000;
const log = pino({ level: 'silent' });

let database: TestDatabase;
let db: Database;
beforeEach(async () => {
  database = await createTestDatabase();
  await migrateDatabase(database.url);
  db = openDatabase(database.url);
});
afterEach(async () => {
  await db.close();
  await database.drop();
});

/** A process that divides the limits; `fractions` are what it was told. */
async function startProcess(works: boolean) {
  const fractions: number[] = [];
  const share = (fraction: number) => void fractions.push(fraction);
  const shares = createShares({ db, works, leaseMs, share, log });
  await shares.start();
  return { fractions, stop: shares.stop };
}

const enterWorker = (id: string) =>
  insertWorker(db, { id, machine: 'here', pid: 1, leaseMs: 60_000 });

const deadlineMs = 10_000;

test('a worker alone takes everything, and half when there are two', async () => {
  await enterWorker('worker_a');
  const { fractions, stop } = await startProcess(true);

  await enterWorker('worker_b');
  await until(() => fractions.at(-1) === 0.5, { deadlineMs, what: 'two workers to be counted' });
  await deleteWorker(db, 'worker_b');
  await until(() => fractions.at(-1) === 1, { deadlineMs, what: 'one worker to be counted' });
  await stop();

  expect(fractions[0]).toBe(1);
});

test('a process that only serves takes a quarter of what a worker takes, until it stops', async () => {
  await enterWorker('worker_a');
  const worker = await startProcess(true);
  const api = await startProcess(false);

  expect(api.fractions).toEqual([0.2]);
  await until(() => worker.fractions.at(-1) === 0.8, { deadlineMs, what: 'the API process' });
  await api.stop();
  await until(() => worker.fractions.at(-1) === 1, { deadlineMs, what: 'its end' });
  await worker.stop();

  expect(await countProcesses(db)).toEqual({ workers: 1, apis: 0 });
});

test('a process whose lease ran out is not counted', async () => {
  await insertWorker(db, { id: 'worker_dead', machine: 'here', pid: 1, leaseMs: -1_000 });

  expect(await countProcesses(db)).toEqual({ workers: 0, apis: 0 });
});

test.each([
  [1, 0],
  [0, 2],
  [3, 2],
])('the parts of %i workers and %i that only serve add up to one', (workers, apis) => {
  const live = { workers, apis };

  const sum =
    workers * (workers && fractionOf(true, live)) + apis * (apis && fractionOf(false, live));

  expect(sum).toBeCloseTo(1, 10);
});

test('a process that nobody has counted yet counts itself', () => {
  expect(fractionOf(true, { workers: 0, apis: 0 })).toBe(1);
  expect(fractionOf(false, { workers: 1, apis: 0 })).toBe(0.2);
});
