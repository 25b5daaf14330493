import pino from 'pino';
import postgres from 'postgres';
import { afterEach, expect, test } from 'vitest';
import type { Plan } from '../../../src/engine/run/plan.ts';
import { addAnswer } from '../../../src/engine/worker/flush.ts';
import { holdBatch } from '../../../src/engine/worker/held-batch.ts';
import { pump } from '../../../src/engine/worker/pump.ts';
import { forget } from '../../../src/engine/worker/release.ts';
import { createState, type WorkerState, workerClock } from '../../../src/engine/worker/state.ts';
import { statementsOf } from '../../../src/engine/worker/statements.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import {
  type Answer,
  audit,
  claimOf,
  enterWorker,
  failed,
  insertBatch,
  range,
  succeeded,
  unlimited,
} from '../../db/queue.ts';
import { openTestDatabase } from '../../support/database.ts';
import { until } from '../../support/until.ts';

const { db, url } = await openTestDatabase();

const opened: WorkerState[] = [];
afterEach(() => {
  for (const state of opened.splice(0)) {
    state.stopped = true;
    state.timer?.cancel();
  }
});

async function open(items: number) {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items, chunkSize: items });
  await claimOf(db.sql, batchKey, worker);
  const recorded: number[] = [];
  const events: string[] = [];
  const log = pino({ level: 'silent' });
  const statements = statementsOf(db, unlimited);
  const state = createState(
    {
      lease: { id: () => worker },
      // Nothing is claimed.
      concurrency: 0,
      statements: {
        ...statements,
        async record(flush) {
          const done = await statements.record(flush);
          if (done) recorded.push(...flush.results.map(({ index }) => index));
          else events.push('gone');
          return done;
        },
        async beginFailure() {
          events.push('unstorable');
          return true;
        },
        readHalted: async () => ({ stopped: [], paused: [], bounded: [] }),
      },
      preparePlan() {
        throw new Error('nothing is run');
      },
      publisher: { publish: () => undefined, publishLast: async () => undefined },
      nudges: { send: async () => undefined },
      clock: workerClock,
      log,
      events: createEvents(log),
      tracing: null,
    },
    pump,
  );
  opened.push(state);
  const found = await statements.readPlan(batchKey);
  if (!found) throw new Error('the batch is not there');
  const batch = holdBatch(found, {
    worker,
    plan: {} as Plan,
    events: createEvents(log),
    tracing: null,
  });
  batch.waiting = 1; // more of it is to come: it is not let go of
  state.batches.set(batchKey, batch);
  const add = (answer: Answer) => {
    addAnswer(state, batch, { ...answer, first: 0 });
    state.wake();
  };
  const drain = () =>
    until(() => batch.unwritten === 0 && !batch.isFlushing, {
      deadlineMs: 20_000,
      what: 'the end of all flushes',
    });
  return { worker, batchKey, state, batch, add, drain, recorded, events };
}

test('one result that the database refuses fails alone, the others are recorded', async () => {
  const { batchKey, drain, add, recorded, events } = await open(300);

  for (const index of range(0, 299)) {
    add(index === 123 ? failed(index, 'NUL \u0000') : succeeded(index));
  }
  await drain();

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
  const { batchKey, drain, add } = await open(1);
  const output = { text: 'a\u0000b \ud800 😀 "\\' };

  add(succeeded(0, output));
  await drain();

  const [row] = await db.sql`select output from results where batch_key = ${batchKey}`;
  expect(JSON.parse(row?.output as string)).toEqual(output);
});

test('a result that can be stored in no form is reported, and the others are recorded', async () => {
  const { batchKey, drain, add, events } = await open(20);
  await db.sql`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'never' using errcode = '22000'; end $$`;
  await db.sql`create trigger refuse before insert on results for each row when (new.index = 7)
    execute function refuse()`;

  for (const index of range(0, 19)) add(succeeded(index));
  await drain();
  await db.sql`drop trigger refuse on results`;

  expect(events).toEqual(['unstorable']);
  expect((await audit(db.sql, batchKey)).rows.succeeded).toBe(19);
});

test('results outlast connections that die, and are there once', async () => {
  const { batchKey, drain, add, recorded } = await open(400);
  const other = postgres(url, { max: 1 });
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
  await drain();

  const found = await audit(db.sql, batchKey);
  expect(found).toMatchObject({ status: 'COMPLETED', counted: { succeeded: 400 } });
  expect(found.rows).toEqual(found.counted);
  expect(recorded).toHaveLength(400);
});

test('a batch that has gone takes nothing more', async () => {
  const { batchKey, drain, add, events } = await open(3);
  await db.sql`delete from batches where key = ${batchKey}`;

  add(succeeded(0));
  await drain();

  expect(events).toEqual(['gone']);
});

test('what is given up is neither written nor waited for', async () => {
  const { batchKey, state, batch, drain, add } = await open(3);

  add(succeeded(0));
  forget(state, batch);
  add(succeeded(1));
  await drain();

  expect((await audit(db.sql, batchKey)).rows.succeeded).toBe(0);
  expect(state.unwritten).toBe(0);
});
