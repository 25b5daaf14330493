/**
 * A database that crashes, cuts off its clients, refuses what it is given: no process dies, nothing
 * is lost, and everything goes on by itself.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  followProgress,
  followResults,
  submit,
  texts,
  untilBatch,
} from '../engine/worker/support.ts';
import { until } from '../support/until.ts';
import { startTestCluster, type TestCluster } from './cluster.ts';
import { either, printFigures } from './run.ts';
import { accountFor, expectBounded, type Stage, setStage } from './stage.ts';

const crew = ['first', 'second', 'third'];

let cluster: TestCluster;
let stage: Stage;

beforeAll(async () => {
  cluster = await startTestCluster();
  stage = await setStage({ databaseUrl: cluster.url });
});
afterEach(() => stage.clear());
afterAll(async () => {
  await stage.close();
  await cluster.remove();
});

test('a database that crashes and comes back: no process dies, and work goes on within seconds', async () => {
  const given = texts(either(2_000, 20_000));
  const crashes = either(1, 4);
  const workers = await stage.startAll(crew);
  const exits: string[] = [];
  for (const { name, exited } of workers) void exited.then(() => exits.push(name));
  const id = await submit(stage.api, given);
  const progress = followProgress(stage.api.socket(), id);
  const results = followResults(stage.api.socket(), id);

  let slowestMs = 0;
  for (let crash = 1; crash <= crashes; crash += 1) {
    await untilBatch(
      stage.api,
      id,
      ({ counts }) => counts.succeeded > (crash * given.length) / (crashes + 2),
      { deadlineMs: 120_000 },
    );
    await cluster.crash();
    // Longer than workers may go without their lease.
    await delay(stage.leaseMs);
    await cluster.start();
    const upAt = Date.now();
    const [before] = await claimed();
    await until(async () => ((await claimed())[0] ?? '') !== before, {
      deadlineMs: 60_000,
      what: 'a claim',
    });
    slowestMs = Math.max(slowestMs, Date.now() - upAt);
  }
  const account = await accountFor(stage, [id], given);
  const [events, told] = await Promise.all([progress, results]);

  printFigures(`Postgres stopped at once and started again, ${crashes} times`, {
    items: given.length,
    'first claim after ms': slowestMs,
    'sent again': account.again,
    reported: account.reported,
  });
  expect(exits).toEqual([]);
  expect(slowestMs).toBeLessThan(5_000);
  expect(events.at(-1)).toMatchObject({ status: 'COMPLETED' });
  expect(told.sort((a, b) => a - b)).toEqual(given.map((_, index) => index));
  expectBounded(stage, account, { fences: crashes * crew.length });
});

/** Which leases and answers there are, in a word. */
async function claimed(): Promise<string[]> {
  try {
    const rows = await stage.sql<{ state: string }[]>`
      select coalesce(string_agg(batch_key || ':' || first || ':' || owner, ',' order by batch_key, first), '') as state
      from chunks where state = 'leased'`;
    return rows.map(({ state }) => state);
  } catch {
    return []; // not up yet
  }
}

test('backends that are killed every second, those of listeners too: progress is never stale, and no end is missed', async () => {
  const given = texts(either(2_000, 20_000));
  // Long enough that nobody is fenced, however busy the machine: a lost connection alone sends
  // nothing again.
  await stage.startAll(crew, { WORKER_LEASE_MS: '30000' });
  const id = await submit(stage.api, given);
  let staleMs = 0;
  let seenAt = Date.now();
  let hasBegun = false;
  const progress = followProgress(stage.api.socket(), id, () => {
    staleMs = Math.max(staleMs, Date.now() - seenAt);
    seenAt = Date.now();
    hasBegun = true;
  });
  // What is to survive is a subscription, not the request for one.
  await until(() => hasBegun, { deadlineMs: 10_000, what: 'the first event' });

  let running = true;
  let killed = 0;
  const killing = (async () => {
    while (running) {
      const rows = await stage.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name like 'winnow %' and (query like 'listen%' or random() < 0.3)`;
      killed += rows.count;
      await delay(1_000);
    }
  })();
  const stop = async () => {
    running = false;
    await killing;
  };
  const account = await accountFor(stage, [id], given, { onEnd: stop }).finally(() => {
    running = false;
  });
  const events = await progress;

  printFigures('backends killed every second, all listeners among them', {
    items: given.length,
    killed,
    'longest without progress in ms': staleMs,
    'sent again': account.again,
    reported: account.reported,
  });
  expect(events.at(-1)).toMatchObject({ status: 'COMPLETED' });
  expect(killed).toBeGreaterThan(0);
  expect(staleMs).toBeLessThan(2_000);
  expect(account.again).toBe(0);
  expect(account.reported).toBe(0);
});

test('a database that is full refuses every answer for a while: none is lost, none is asked again', async () => {
  const given = texts(either(1_000, 10_000));
  // A busy machine may hold up the renewal of a short lease, and whoever loses one asks again.
  await stage.startAll(crew, { WORKER_LEASE_MS: '30000' });
  const id = await submit(stage.api, given);
  await untilBatch(stage.api, id, ({ counts }) => counts.succeeded > 200, { deadlineMs: 60_000 });

  await stage.sql`
    create function no_space() returns trigger language plpgsql as $$
      begin raise exception using errcode = 'disk_full', message = 'could not extend file'; end $$`;
  await stage.sql`create trigger no_space before insert on results for each statement execute function no_space()`;
  const refusedAt = Date.now();
  await until(() => stage.sandbox.inFlight === 0, {
    deadlineMs: 30_000,
    what: 'calls to stop, since no answer can be recorded',
  });
  const asked = stage.sandbox.requests.count;
  await delay(either(2_000, 30_000));
  const askedMeanwhile = stage.sandbox.requests.count - asked;
  await stage.sql`drop trigger no_space on results`;
  const refusedMs = Date.now() - refusedAt;
  const account = await accountFor(stage, [id], given);

  printFigures('every write of answers refused as if the disk were full', {
    items: given.length,
    'refused for ms': refusedMs,
    'asked meanwhile': askedMeanwhile,
    'sent again': account.again,
    reported: account.reported,
  });
  expect(askedMeanwhile).toBe(0);
  expect(account.again).toBe(0);
  expect(account.reported).toBe(0);
});
