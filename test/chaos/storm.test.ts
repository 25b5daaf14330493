/**
 * The storm: for half a minute a random worker is killed every second or two, and another one started in its place. Then
 * the money is counted: every item has one answer, and what was asked twice is what the batches say.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../../src/sandbox/random.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/server.ts';
import { startProcess, type WinnowProcess } from '../batches/process.ts';
import {
  type BatchView,
  hasEnded,
  readBatch,
  readItems,
  submit,
  texts,
  timesAsked,
  untilBatch,
} from '../batches/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const seconds = Number(process.env.CHAOS_SECONDS ?? 30);
const items = Number(process.env.CHAOS_ITEMS ?? 20_000);
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1e9));
const workers = 3;
const concurrency = 64;
const leaseMs = 2_000;
const itemsPerBatch = 10_000;
const recoveryMs = 120_000;

let database: TestDatabase;
let sandbox: Sandbox;
let api: App;

beforeAll(async () => {
  database = await createTestDatabase();
  sandbox = await startSandbox({
    latencyMs: { medianMs: 200, sigma: 0.3, seed },
    journal: 3 * items,
  });
  api = await startApp({ ROLE: 'api' }, { databaseUrl: database.url, sandbox });
});
afterAll(async () => {
  await api.stop();
  await sandbox.close();
  await database.drop();
});

test(`${workers} workers, one killed every 1 to 2 s for ${seconds} s, ${items} items, seed ${seed}`, async () => {
  const { uniform } = createRandom(seed);
  const crew: WinnowProcess[] = await Promise.all(
    Array.from({ length: workers }, (_, at) => startWorker(`worker-${at}`)),
  );
  const batches = await Promise.all(
    Array.from({ length: Math.ceil(items / itemsPerBatch) }, (_, at) =>
      submit(api, texts(items).slice(at * itemsPerBatch, (at + 1) * itemsPerBatch)),
    ),
  );
  const startedAt = Date.now();

  let kills = 0;
  let nextKillAt = startedAt + 1_000;
  const replacements: Promise<void>[] = [];
  await until(
    async () => {
      const states = await Promise.all(batches.map((id) => readBatch(api, id)));
      if (states.every(hasEnded)) return true;
      if (Date.now() >= nextKillAt && crew.length > 0) {
        const [victim] = crew.splice(Math.floor(uniform() * crew.length), 1);
        victim?.signal('SIGKILL');
        kills += 1;
        nextKillAt = Date.now() + 1_000 + uniform() * 1_000;
        replacements.push(startWorker(`heir-${kills}`).then((heir) => void crew.push(heir)));
      }
      return Date.now() >= startedAt + seconds * 1_000;
    },
    { deadlineMs: seconds * 1_000 + recoveryMs, what: 'the end of the storm' },
  );
  await Promise.all(replacements);
  const ended = await Promise.all(
    batches.map((id) => untilBatch(api, id, hasEnded, { deadlineMs: recoveryMs })),
  );
  const tookMs = Date.now() - startedAt;

  const answered = (await Promise.all(batches.map((id) => readItems(api, id)))).flat();
  for (const one of crew) one.signal('SIGKILL');
  await Promise.all(crew.map(({ exited }) => exited));

  const asked = timesAsked(sandbox);
  const again = sandbox.requests.count - asked.size;
  const total = (count: (batch: BatchView) => number) =>
    ended.reduce((sum, batch) => sum + count(batch), 0);
  const reported = total(({ resentRequests }) => resentRequests);
  console.table({
    seed,
    items,
    workers,
    concurrency,
    'lease (ms)': leaseMs,
    kills,
    'time (s)': (tookMs / 1_000).toFixed(1),
    'answered once': new Set(answered.map(({ content }) => content)).size,
    'dead-lettered': total(({ counts }) => counts.failed),
    'sent again': again,
    'sent again per kill': (again / kills).toFixed(1),
    'reported as sent again': reported,
  });

  expect(ended.map(({ status }) => status)).toEqual(batches.map(() => 'COMPLETED'));
  expect(total(({ counts }) => counts.succeeded)).toBe(items);
  expect(total(({ usage }) => usage.requests)).toBe(items);
  expect(answered.map(({ content }) => content)).toEqual(texts(items));
  expect(asked.size).toBe(items);
  expect(again).toBeLessThanOrEqual(kills * concurrency);
  expect(reported).toBeGreaterThanOrEqual(again);
  // What was marked and not yet sent at the instant of a kill. On an idle machine that is a few requests a kill; where others
  // take the processor it is more, and this is no statement about time: a quarter of what a kill could cost at most.
  expect(reported).toBeLessThanOrEqual(again + kills * (concurrency / 4));
});

async function startWorker(name: string): Promise<WinnowProcess> {
  return await startProcess(name, {
    databaseUrl: database.url,
    sandbox,
    env: { WORKER_CONCURRENCY: String(concurrency), WORKER_LEASE_MS: String(leaseMs) },
  });
}
