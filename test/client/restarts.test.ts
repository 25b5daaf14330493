/** A server that is killed and started again, while its client reads on. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BatchState, Winnow } from '../../src/client/index.ts';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freePort } from '../support/free-port.ts';
import { type Program, startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';

const total = 400;
const killedAt = [100, 250];

let database: TestDatabase;
let sandbox: Sandbox;
let port: number;
let program: Program;
beforeAll(async () => {
  database = await createTestDatabase();
  sandbox = await startFaultySandbox({ latencyMs: 60 });
  port = await freePort();
  await start();
});
afterAll(async () => {
  await kill();
  await sandbox.close();
  await database.drop();
});

async function start(): Promise<void> {
  program = startProgram({
    DATABASE_URL: database.url,
    PORT: String(port),
    PROVIDERS: JSON.stringify({ test: { baseURL: sandbox.url, models: ['rules'] } }),
    DEFAULT_MODEL: 'test/rules',
    WORKER_CONCURRENCY: '8',
    WORKER_LEASE_MS: '1000',
  });
  await until(() => program.out.includes('Winnow is up'), {
    deadlineMs: 20_000,
    what: `a start: ${program.errors}`,
  });
}

async function kill(): Promise<void> {
  program.process.kill('SIGKILL');
  await program.ended;
}

it('gives each result once and the final state last, although the server was killed twice', async () => {
  const winnow = new Winnow({ url: `http://127.0.0.1:${port}` });
  const batch = await winnow.batches.submit({
    label: { categories: ['praise', 'complaint'] },
    source: Array.from({ length: total }, (_, at) => `I love it, ${at}`),
  });
  const states: BatchState[] = [];
  const watched = (async () => {
    for await (const state of batch.watch()) states.push(state);
  })();

  const indexes: number[] = [];
  const kills = [...killedAt];
  for await (const { index, status } of batch.results()) {
    expect(status).toBe('succeeded');
    indexes.push(index);
    if (indexes.length === kills[0]) {
      kills.shift();
      await kill();
      await start();
    }
  }
  await watched;
  const { length } = await batch.getOutput('records');

  expect(kills).toEqual([]);
  expect(length).toBe(total);
  expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, at) => at));
  expect(states.at(-1)).toMatchObject({ status: 'completed', counts: { succeeded: total } });
});
