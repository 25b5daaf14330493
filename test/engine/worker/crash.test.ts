/**
 * Real processes, real signals: what is lost, what is asked twice, and what the batch says of it.
 */
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { until } from '../../support/until.ts';
import { processHeader, startProcess, type WinnowProcess } from './process.ts';
import {
  type BatchView,
  followProgress,
  followResults,
  readBatch,
  readItems,
  submit,
  sumOf,
  texts,
  timesAsked,
  untilBatch,
  untilEnded,
} from './support.ts';

const concurrency = 16;
const leaseMs = 3_000;
const items = 300;

let database: TestDatabase;
let sandbox: Sandbox;
/** Serves, and works on nothing: a process apart from all workers. */
let api: App;
let sql: postgres.Sql;
const running: WinnowProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  sandbox = await startFaultySandbox({ latencyMs: { medianMs: 80, sigma: 0.4 } });
  api = await startApp({ ROLE: 'api' }, { databaseUrl: database.url, sandbox });
  sql = postgres(database.url, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await api.stop();
  await sandbox.close();
  await database.drop();
});
beforeEach(() => {
  sandbox.requests.clear();
  sandbox.requests.keep(5_000);
});
afterEach(async () => {
  for (const one of running) one.signal('SIGKILL');
  await Promise.all(running.splice(0).map(({ exited }) => exited));
});

/** Ends with its test. */
async function start(name: string, env?: Record<string, string>): Promise<WinnowProcess> {
  const started = await launch(name, env);
  running.push(started);
  return started;
}

function launch(name: string, env: Record<string, string> = {}): Promise<WinnowProcess> {
  return startProcess(name, {
    databaseUrl: database.url,
    sandbox,
    env: {
      WORKER_CONCURRENCY: String(concurrency),
      WORKER_LEASE_MS: String(leaseMs),
      ...env,
    },
  });
}

function askedBy(name: string) {
  return sandbox.requests.journal.filter(({ headers }) => headers[processHeader] === name);
}

/** Requests beyond the first of each item. */
function askedAgain(): number {
  return sandbox.requests.count - timesAsked(sandbox).size;
}

async function expectExact(batch: BatchView): Promise<void> {
  expect(batch).toMatchObject({
    status: 'COMPLETED',
    counts: { total: items, succeeded: items, pending: 0, processing: 0, failed: 0 },
  });
  const answered = await readItems(api, batch.id);
  expect(answered.map(({ index, content }) => [index, content])).toEqual(
    texts(items).map((text, index) => [index, text]),
  );
  expect(new Set(answered.map(({ status }) => status))).toEqual(new Set(['SUCCEEDED']));
  // A result counts the one request that it came from, whatever was asked before.
  expect(batch.usage.requests).toBe(items);
  expect([...timesAsked(sandbox).keys()].sort()).toEqual(texts(items).sort());
}

/**
 * Never under-reported, and never more than may have been under way. Over it is by what a flush had
 * just made room for when the process died; over many kills that is at most 5 %, which the chaos
 * run looks at.
 */
function expectAccounted({ resentRequests }: BatchView): void {
  const again = askedAgain();
  expect(resentRequests).toBeGreaterThanOrEqual(again);
  expect(resentRequests).toBeLessThanOrEqual(concurrency);
  expect(resentRequests - again).toBeLessThanOrEqual(concurrency / 2);
}

test('a process that starts where one was killed goes on at once, however long the lease', async () => {
  const lease = { WORKER_LEASE_MS: '60000' };
  const victim = await start('victim', lease);
  const id = await submit(api, texts(items));
  await untilBatch(api, id, ({ counts }) => counts.succeeded > 75);

  victim.signal('SIGKILL');
  await victim.exited;
  await start('heir', lease);
  const batch = await untilEnded(api, id, 15_000);

  await expectExact(batch);
  expectAccounted(batch);
});

describe('beside a process that stays', () => {
  let heir: WinnowProcess;
  beforeAll(async () => {
    heir = await launch('heir');
  });
  afterAll(async () => {
    heir.signal('SIGKILL');
    await heir.exited;
  });

  test('two processes share a batch; one is killed, the other finishes it; a third process sees it all', async () => {
    const victim = await start('victim');
    const id = await submit(api, texts(items));
    const progress = followProgress(api.socket(), id);
    const results = followResults(api.socket(), id);
    await until(() => askedBy('victim').length > 40 && askedBy('heir').length > 40, {
      deadlineMs: 10_000,
      what: 'work by both processes',
    });

    victim.signal('SIGKILL');
    const batch = await untilEnded(api, id);

    await expectExact(batch);
    expectAccounted(batch);
    expect(batch.resentRequests).toBeGreaterThan(0);
    const events = await progress;
    expect(events.at(-1)).toEqual(batch);
    for (const { counts } of events) expect(sumOf(counts)).toBe(items);
    expect((await results).sort((a, b) => a - b)).toEqual(texts(items).map((_, index) => index));
  });

  test('of items that each need a repair, a kill reports requests, not items', async () => {
    const isFirst = (body: unknown) => (body as { messages: unknown[] }).messages.length === 2;
    const wrong = sandbox.faults.add({
      fault: { kind: 'wrong_category' },
      when: ({ body }) => isFirst(body),
    });
    const victim = await start('victim');
    const id = await submit(api, texts(items));
    await untilBatch(api, id, ({ counts }) => counts.succeeded > 75);
    const slow = sandbox.faults.add({
      fault: { kind: 'latency', ms: 6_000 },
      when: ({ body }) => !isFirst(body),
    });
    const repairing = () =>
      sandbox.requests.journal.filter(
        ({ answered, aborted, body }) => answered === null && !aborted && !isFirst(body),
      );
    await until(() => repairing().length === 2 * concurrency, {
      deadlineMs: 15_000,
      what: 'the repair of every item that is under way',
    });

    victim.signal('SIGKILL');
    await victim.exited;
    slow();
    const batch = await untilEnded(api, id, 60_000);
    wrong();

    expect(batch).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
    expect(batch.usage.requests).toBe(2 * items);
    const again = sandbox.requests.count - batch.usage.requests;
    expect(again).toBe(2 * concurrency);
    expect(batch.resentRequests).toBeGreaterThanOrEqual(again);
    expect(batch.resentRequests).toBeLessThanOrEqual(again + 3);
  });

  test('a process that is told to stop finishes its calls, and nothing is asked again', async () => {
    const leaver = await start('leaver');
    const id = await submit(api, texts(items));
    await until(() => askedBy('leaver').length > 40, { deadlineMs: 10_000, what: 'work' });

    leaver.signal('SIGTERM');
    const code = await leaver.exited;
    const last = Math.max(...askedBy('leaver').map(({ at }) => at));
    const batch = await untilEnded(api, id);

    expect(code).toBe(0);
    await expectExact(batch);
    expect(askedAgain()).toBe(0);
    expect(batch.resentRequests).toBe(0);
    expect(askedBy('leaver').every(({ aborted }) => !aborted)).toBe(true);
    expect(askedBy('heir').some(({ at }) => at > last)).toBe(true);
    const [left] =
      await sql`select count(*)::int as workers from workers where pid = ${leaver.pid}`;
    expect(left).toEqual({ workers: 0 });
  });

  test('a process that was stopped for longer than its lease and continued is fenced: it sends nothing that it held', async () => {
    const slower = sandbox.faults.add({ fault: { kind: 'latency', ms: 80 } });
    const sleeper = await start('sleeper');
    const id = await submit(api, texts(items));
    await until(() => askedBy('sleeper').length > 40, { deadlineMs: 10_000, what: 'work' });
    const [old] = await sql`select id from workers where pid = ${sleeper.pid}`;

    sleeper.signal('SIGSTOP');
    await until(
      async () => (await sql`select from chunks where owner = ${old?.id as string}`).count === 0,
      { deadlineMs: 10_000, what: 'the heir to take over' },
    );
    sleeper.signal('SIGCONT');
    const running = await readBatch(api, id);
    const batch = await untilEnded(api, id);
    slower();

    expect(running.status).toBe('PROCESSING');
    await expectExact(batch);
    expectAccounted(batch);
    const awake = () =>
      sql`select id from workers where pid = ${sleeper.pid} and expires_at > now()`;
    await until(async () => (await awake()).count === 1, {
      deadlineMs: 10_000,
      what: 'the sleeper to come back',
    });
    expect((await awake()).map((worker) => worker.id)).not.toContain(old?.id);
  });
});
