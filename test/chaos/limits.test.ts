/**
 * Limits and outages in real time, with three workers as processes of their own. The provider's
 * capacity steps from 60 to 20 to 100 calls a second, of which it tells nothing but 429s; then it
 * fails every call for a while. What the gate does in virtual time (test/model/capacity.test.ts,
 * outage.test.ts) has to hold here too.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { startProcess, type WinnowProcess } from '../engine/worker/process.ts';
import { cancel, readBatch, submit, texts, untilBatch } from '../engine/worker/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

/**
 * Of one phase; the outage takes four. Half a minute is what a step may take to be followed, so
 * that there is no short form.
 */
const seconds = Math.max(20, Number(process.env.CHAOS_SECONDS ?? 30));
const settleSeconds = Math.min(30, seconds / 2);
const workers = 3;
const concurrency = 64;
const leaseMs = 3_000;

let database: TestDatabase;
let sandbox: Sandbox;
let api: App;
let crew: WinnowProcess[];

beforeAll(async () => {
  database = await createTestDatabase();
  sandbox = await startFaultySandbox({
    latencyMs: { medianMs: 200, sigma: 0.3, seed: 1 },
    journal: 500_000,
  });
  api = await startApp({ ROLE: 'api' }, { databaseUrl: database.url, sandbox });
  crew = await Promise.all(
    Array.from({ length: workers }, (_, at) =>
      startProcess(`worker-${at}`, {
        databaseUrl: database.url,
        sandbox,
        env: { WORKER_CONCURRENCY: String(concurrency), WORKER_LEASE_MS: String(leaseMs) },
      }),
    ),
  );
});
afterAll(async () => {
  for (const one of crew) one.signal('SIGKILL');
  await Promise.all(crew.map(({ exited }) => exited));
  await api.stop();
  await sandbox.close();
  await database.drop();
});

const submitMany = async (batches: number) =>
  await Promise.all(Array.from({ length: batches }, () => submit(api, texts(10_000))));

/** Lets so many seconds pass. */
async function pass(duration: number): Promise<void> {
  const end = performance.now() + duration * 1_000;
  await until(() => performance.now() >= end, {
    deadlineMs: duration * 1_000 + 10_000,
    what: 'time to pass',
  });
}

/** The requests of a stretch of time that began so many seconds ago. */
function countSince(start: number, answered?: number): number {
  return sandbox.requests.journal.filter(
    (request) => request.at >= start && (answered === undefined || request.answered === answered),
  ).length;
}

test('an outage costs a probe every five seconds and no item, and half a minute later all is as before', async () => {
  sandbox.requests.clear();
  const ids = await submitMany(10);
  await until(() => sandbox.requests.answered > 100, { deadlineMs: 30_000, what: 'a start' });
  await pass(10);
  const before = sandbox.requests.count / 10;

  sandbox.faults.add({ fault: { kind: 'status', status: 500 } });
  const began = lastAt();
  await pass(4 * seconds);
  const during = countSince(began, 500);
  sandbox.faults.clear();
  await pass(30);
  const back = lastAt();
  await pass(10);
  const after = countSince(back, 200) / 10;
  const states = await Promise.all(ids.map((id) => readBatch(api, id)));
  await Promise.all(ids.map((id) => cancel(api, id)));

  console.table({
    'calls a second before': before,
    'calls in the outage': during,
    'seconds of outage': 4 * seconds,
    'calls a second from 30 s after it': after,
    'items failed': states.reduce((sum, { counts }) => sum + counts.failed, 0),
  });
  // What was under way when it began, some of it a second time, then the probes.
  expect(during).toBeLessThanOrEqual(2 * workers * concurrency + (4 * seconds) / 5 + workers);
  expect(after).toBeGreaterThan(before / 2);
  for (const { counts } of states) expect(counts.failed).toBe(0);
  await Promise.all(
    ids.map((id) =>
      untilBatch(api, id, ({ status }) => status !== 'PROCESSING', { deadlineMs: 60_000 }),
    ),
  );
});

test('capacity that steps from 60 to 20 to 100 calls a second is followed', async () => {
  const ids = await submitMany(Math.ceil((200 * seconds) / 10_000));

  const phases = [];
  for (const perSecond of [60, 20, 100]) {
    sandbox.faults.clear();
    sandbox.faults.add({
      fault: { kind: 'rate_limited', retryAfter: null, headers: silent },
      when: exceeds(perSecond),
    });
    await pass(settleSeconds);
    const start = lastAt();
    await pass(seconds - settleSeconds);
    const refused = countSince(start, 429);
    const taken = countSince(start, 200);
    phases.push({
      'calls a second': perSecond,
      'answered a second': taken / (seconds - settleSeconds),
      'part that is refused': refused / (refused + taken),
    });
  }
  console.table(phases);
  const states = await Promise.all(ids.map((id) => readBatch(api, id)));
  sandbox.faults.clear();
  await Promise.all(ids.map((id) => cancel(api, id)));

  for (const phase of phases) expect(phase['part that is refused']).toBeLessThan(0.05);
  for (const { counts } of states) expect(counts.failed).toBe(0);
});

/** In place of what the sandbox would say of its limit. */
const silent = { 'x-ratelimit-limit-requests': 'unknown' };

/** Whether a request is more than so many a second, counted over a second. */
function exceeds(perSecond: number): () => boolean {
  let level = perSecond;
  let at = performance.now();
  return () => {
    const now = performance.now();
    level = Math.min(perSecond, level + ((now - at) * perSecond) / 1_000);
    at = now;
    if (level < 1) return true;
    level -= 1;
    return false;
  };
}

/** When the last request came in, by the sandbox's clock. */
function lastAt(): number {
  return sandbox.requests.journal.at(-1)?.at ?? 0;
}
