/**
 * Processes that are killed at every step of a provider batch: nothing is lost, no job is created
 * twice, and nothing is paid twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import type { BatchOperation } from '../../src/sandbox/wire/equipment.ts';
import { createRandom } from '../../src/sandbox/wire/random.ts';
import {
  providerJobEnv,
  providers,
  readProviderBatches,
  submitForProvider,
} from '../engine/provider-jobs/support.ts';
import { startProcess, type WinnowProcess } from '../engine/worker/process.ts';
import { cancel, readItems, texts, untilBatch, untilEnded } from '../engine/worker/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { either, printFigures, seconds, seed } from './run.ts';

const items = 230;

let database: TestDatabase;
let sandbox: Sandbox;
/** Serves, and works on nothing: a process apart from all workers. */
let api: App;
const running: WinnowProcess[] = [];

beforeEach(async () => {
  // With a sandbox of its own, whose ids begin anew.
  database = await createTestDatabase();
  sandbox = await startFaultySandbox();
  sandbox.requests.keep(5_000);
  api = await startApp(
    { ...providerJobEnv(sandbox), ROLE: 'api' },
    { databaseUrl: database.url, sandbox },
  );
});
afterEach(async () => {
  for (const one of running) one.signal('SIGKILL');
  await Promise.all(running.splice(0).map(({ exited }) => exited));
  await api.stop();
  await sandbox.close();
  await database.drop();
});

async function start(name: string): Promise<WinnowProcess> {
  const started = await startProcess(name, {
    databaseUrl: database.url,
    sandbox,
    env: providerJobEnv(sandbox),
  });
  running.push(started);
  return started;
}

/**
 * Kills the process that is running when it next makes such a call. The call itself is carried out.
 */
function killAt(operation: BatchOperation): Promise<unknown> {
  let killed = false;
  const [victim] = running;
  sandbox.batches.callFaults.add({
    fault: { kind: 'latency', ms: 0 },
    when: (call) => {
      if (call.operation === operation && !killed) {
        killed = true;
        victim?.signal('SIGKILL');
      }
      return false;
    },
  });
  return victim?.exited ?? Promise.resolve();
}

const steps: BatchOperation[] = ['upload', 'create', 'retrieve', 'download'];

describe.each(providers)('$provider', ({ provider, model }) => {
  // Anthropic takes the input with the create.
  const itsSteps = steps.filter((step) => step !== 'upload' || provider === 'test');
  test.each(either<BatchOperation[]>(['create'], itsSteps))(
    'a worker that is killed at the %s leaves nothing to be paid twice',
    async (operation) => {
      await start('first');
      const killed = killAt(operation);
      const id = await submitForProvider(api, texts(items), { model });
      await killed;
      await start('second');

      expect(await untilEnded(api, id, 30_000)).toMatchObject({
        status: 'COMPLETED',
        counts: { total: items, succeeded: items },
        usage: { requests: items },
        resentRequests: 0,
      });
      expect(sandbox.batches.createdCount).toBe(1);
      expect(sandbox.batches.answeredRows).toBe(items);
      expect(await readProviderBatches(api, id)).toHaveLength(1);
    },
  );
});

describe.each(either<readonly (typeof providers)[number][]>([], providers))(
  '$provider',
  ({ model }) => {
    test('a create whose answer is lost is found again', async () => {
      sandbox.batches.callFaults.add({
        fault: { kind: 'lost_answer' },
        when: ({ operation }) => operation === 'create',
        times: 1,
      });
      await start('only');
      const id = await submitForProvider(api, texts(items), { model });

      expect(await untilEnded(api, id, 30_000)).toMatchObject({ status: 'COMPLETED' });
      expect(sandbox.batches.createdCount).toBe(1);
      expect(sandbox.batches.answeredRows).toBe(items);
    });

    test('a create that never arrived is looked for in full, whatever failed before, and then made once', async () => {
      const { callFaults, calls } = sandbox.batches;
      const failing = { kind: 'status', status: 503 } as const;
      callFaults.add({ fault: failing, when: ({ operation }) => operation === 'upload', times: 3 });
      callFaults.add({
        fault: { kind: 'drop', at: 'headers' },
        when: ({ operation }) => operation === 'create',
        times: 1,
      });
      callFaults.add({ fault: failing, when: ({ operation }) => operation === 'list', times: 2 });
      await start('only');
      const id = await submitForProvider(api, texts(items), { model });

      expect(await untilEnded(api, id, 40_000)).toMatchObject({ status: 'COMPLETED' });
      expect(sandbox.batches.createdCount).toBe(1);
      expect(calls).toMatchObject({ create: 2, list: 2 + 7 });
    });

    test('a worker that is killed while it asks invalid answers again says what was sent twice', async () => {
      sandbox.faults.add({
        fault: { kind: 'wrong_category' },
        when: ({ batchId, text }) => batchId !== null && /text [0-9]$/.test(text),
      });
      const first = await start('first');
      sandbox.faults.add({
        fault: { kind: 'stall', at: 'headers' },
        when: ({ batchId }) => {
          if (batchId !== null || sandbox.requests.count < 5) return false;
          first.signal('SIGKILL');
          return true;
        },
        times: 1,
      });
      const id = await submitForProvider(api, texts(items), { model });
      await first.exited;
      const sentBefore = sandbox.requests.count;
      await start('second');

      const ended = await untilEnded(api, id, 30_000);
      expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
      const sentTwice = sandbox.requests.count - 10;
      expect(sentTwice).toBeLessThanOrEqual(sentBefore);
      expect(ended.resentRequests).toBeGreaterThanOrEqual(sentTwice);
      expect(ended.resentRequests).toBeLessThanOrEqual(sentTwice + 3);
      expect(sandbox.batches.createdCount).toBe(1);
    });

    test('a cancel that a killed worker had begun is brought to its end', async () => {
      sandbox.batches.hold();
      await start('first');
      const killed = killAt('cancel');
      const id = await submitForProvider(api, texts(items), { model });
      await sandbox.until(({ batches }) => batches.createdCount === 1);
      // OpenAI's look at the input first.
      if (sandbox.batches.created[0]?.stage === 'validating') sandbox.batches.advance();
      sandbox.batches.advance({ rows: 100 });
      await cancel(api, id);
      await killed;
      sandbox.batches.release();
      await start('second');

      expect(await untilEnded(api, id, 30_000)).toMatchObject({
        status: 'CANCELLED',
        counts: { succeeded: 100, cancelled: items - 100 },
      });
    });

    test('a process that is told to stop leaves at once, and another goes on with the job', async () => {
      sandbox.batches.hold();
      const first = await start('first');
      const id = await submitForProvider(api, texts(items), { model });
      await sandbox.until(({ batches }) => batches.createdCount === 1);
      first.signal('SIGTERM');
      const code = await first.exited;
      const between = await untilBatch(api, id, ({ counts }) => counts.processing === items);
      sandbox.batches.release();
      await start('second');
      const ended = await untilEnded(api, id, 30_000);

      expect(code).toBe(0);
      expect(between.status).toBe('PROCESSING');
      expect(ended).toMatchObject({ status: 'COMPLETED', resentRequests: 0 });
      expect((await readItems(api, id)).every(({ status }) => status === 'SUCCEEDED')).toBe(true);
      expect(sandbox.batches.createdCount).toBe(1);
    });
  },
);

test('workers that are killed all the time leave every answer recorded once, and no job created twice', async () => {
  const given = texts(either(1_500, 10_000));
  const { uniform } = createRandom(seed);
  const isInvalid = (text: string) => /text [0-9]*5$/.test(text);
  sandbox.faults.add({
    fault: { kind: 'wrong_category' },
    when: ({ batchId, text }) => batchId !== null && isInvalid(text),
  });
  // So that kills meet every step.
  sandbox.faults.add({
    fault: { kind: 'latency', ms: 200 },
    when: ({ batchId }) => batchId === null,
  });
  sandbox.batches.callFaults.add({ fault: { kind: 'latency', ms: 250 } });
  sandbox.batches.outcomes.add({ fault: { kind: 'missing_results', count: 40 }, times: 1 });
  sandbox.batches.callFaults.add({
    fault: { kind: 'lost_answer' },
    when: ({ operation }) => operation === 'create',
    times: 1,
  });
  let kills = 0;
  let started = 0;
  let ended = false;
  await start('worker 0');
  const id = await submitForProvider(api, given);
  const end = untilEnded(api, id, either(60_000, 600_000)).finally(() => {
    ended = true;
  });
  for (const until = Date.now() + seconds * 1_000; Date.now() < until && !ended; ) {
    await delay(300 + uniform() * 1_500);
    running.shift()?.signal('SIGKILL');
    kills += 1;
    started += 1;
    await start(`worker ${started}`);
  }
  const batch = await end;

  const invalid = given.filter(isInvalid).length;
  const { created, answeredRows } = sandbox.batches;
  expect(batch).toMatchObject({ status: 'COMPLETED', counts: { succeeded: given.length } });
  expect(new Set(created.map(({ metadata }) => metadata?.winnow_batch)).size).toBe(created.length);
  expect(answeredRows).toBe(given.length + 40);
  const sentTwice = sandbox.requests.count - invalid;
  expect(batch.resentRequests).toBeGreaterThanOrEqual(sentTwice);
  expect(batch.resentRequests).toBeLessThanOrEqual(sentTwice + 3 * kills);
  printFigures('provider batches, killed all the time', {
    items: given.length,
    kills,
    jobs: created.length,
    'sent twice': sentTwice,
    reported: batch.resentRequests,
  });
});
