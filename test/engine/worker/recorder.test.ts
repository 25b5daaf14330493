import pino from 'pino';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/driver/client.ts';
import { createRecorder } from '../../../src/engine/worker/recorder.ts';
import {
  type Answer,
  audit,
  claimOf,
  enterWorker,
  failed,
  insertBatch,
  range,
  succeeded,
} from '../../db/queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { until } from '../../support/until.ts';

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(database.url);
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

async function open(items: number) {
  const worker = await enterWorker(db.sql);
  const batchKey = await insertBatch(db.sql, { items, chunkSize: items });
  await claimOf(db.sql, batchKey, worker);
  const recorded: number[] = [];
  const events: string[] = [];
  const recorder = createRecorder({
    db,
    batchKey,
    batchId: 'batch_of_the_test',
    worker,
    onRecorded: (results) => recorded.push(...results.map(({ index }) => index)),
    onGone: () => events.push('gone'),
    onUnstorable: () => events.push('unstorable'),
    log: pino({ level: 'silent' }),
  });
  const add = (answer: Answer) => recorder.add({ ...answer, first: 0 });
  return { worker, batchKey, recorder, add, recorded, events };
}

test('one result that the database refuses fails alone, the others are recorded', async () => {
  const { batchKey, recorder, add, recorded, events } = await open(300);

  for (const index of range(0, 299)) {
    add(index === 123 ? failed(index, 'NUL \u0000') : succeeded(index));
  }
  await recorder.drain();

  const found = await audit(db.sql, batchKey);
  expect(found).toMatchObject({ status: 'COMPLETED', counted: { succeeded: 299, failed: 1 } });
  expect(found.rows).toEqual(found.counted);
  expect([...recorded].sort((a, b) => a - b)).toEqual(range(0, 299));
  expect(events).toEqual([]);
  const [row] = await db.sql`
    select index, error_code, error_message from results
    where batch_key = ${batchKey} and status = 'FAILED'`;
  expect(row).toEqual({
    index: 123,
    error_code: 'INVALID_OUTPUT',
    error_message: 'The answer cannot be stored',
  });
});

test('NUL and lone surrogates in an output are stored as they are', async () => {
  const { batchKey, recorder, add } = await open(1);
  const output = { text: 'a\u0000b \ud800 😀 "\\' };

  add(succeeded(0, output));
  await recorder.drain();

  const [row] = await db.sql`select output from results where batch_key = ${batchKey}`;
  expect(JSON.parse(row?.output as string)).toEqual(output);
});

test('a result that can be stored in no form is reported, and the others are recorded', async () => {
  const { batchKey, recorder, add, events } = await open(20);
  await db.sql`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'never' using errcode = '22000'; end $$`;
  await db.sql`create trigger refuse before insert on results for each row when (new.index = 7)
    execute function refuse()`;

  for (const index of range(0, 19)) add(succeeded(index));
  await recorder.drain();
  await db.sql`drop trigger refuse on results`;

  expect(events).toEqual(['unstorable']);
  expect((await audit(db.sql, batchKey)).rows.succeeded).toBe(19);
});

test('results outlast connections that die, and are there once', async () => {
  const { batchKey, recorder, add, recorded } = await open(400);
  const other = postgres(database.url, { max: 1 });
  let adding = true;
  const killing = (async () => {
    while (adding) {
      await other`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'winnow'`;
      await other`select pg_sleep(0.2)`;
    }
    await other.end();
  })();

  for (const index of range(0, 399)) {
    add(succeeded(index));
    if (index % 10 === 0) {
      await until(() => recorded.length >= index, { deadlineMs: 10_000, what: 'a flush' });
    }
  }
  adding = false;
  await killing;
  await recorder.drain();

  const found = await audit(db.sql, batchKey);
  expect(found).toMatchObject({ status: 'COMPLETED', counted: { succeeded: 400 } });
  expect(found.rows).toEqual(found.counted);
  expect(recorded).toHaveLength(400);
});

test('a batch that has gone takes nothing more', async () => {
  const { batchKey, recorder, add, events } = await open(3);
  await db.sql`delete from batches where key = ${batchKey}`;

  add(succeeded(0));
  await recorder.drain();

  expect(events).toEqual(['gone']);
});

test('what is given up is neither written nor waited for', async () => {
  const { batchKey, recorder, add } = await open(3);

  add(succeeded(0));
  recorder.abandon();
  add(succeeded(1));
  await recorder.drain();

  expect((await audit(db.sql, batchKey)).rows.succeeded).toBe(0);
});
