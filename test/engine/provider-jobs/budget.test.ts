/** A job of a batch with a limit takes no more items than that leaves, at the batch price. */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../support/app.ts';
import { ask, texts, untilBatch, untilEnded } from '../worker/support.ts';
import { readProviderBatches, startProviderJobApp, submitForProvider } from './support.ts';

const items = 40;
let app: App;
let sql: postgres.Sql;

beforeAll(async () => {
  app = await startProviderJobApp({ PRICES: '{"test/rules": {"input": 10, "output": 20}}' });
  sql = postgres(app.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
});

async function costOf(id: string): Promise<number> {
  const query = 'query($id: ID!) { batch(id: $id) { usage { costUsd } } }';
  const { batch } = await ask<{ batch: { usage: { costUsd: number } } }>(app, query, { id });
  return batch.usage.costUsd;
}

test('a job is cut where the limit ends, the batch pauses, and another job follows the resume', async () => {
  const free = await submitForProvider(app, texts(items));
  await untilEnded(app, free);
  const meanUsd = (await costOf(free)) / items;

  const maxCostUsd = 15.5 * meanUsd;
  const id = await submitForProvider(app, texts(items), { maxCostUsd, autoStart: false });
  const quote = JSON.stringify({ providerBatchUsd: { expected: items * meanUsd } });
  await sql`update batches set quote = ${quote} where id = ${id}`;
  await ask(app, 'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });
  const paused = await untilBatch(app, id, ({ status }) => status === 'PAUSED');
  const spentUsd = await costOf(id);
  const [job] = await readProviderBatches(app, id);

  expect(paused.counts).toMatchObject({ succeeded: 15, pending: 25, processing: 0 });
  expect(job?.counts.total).toBe(15);
  expect(spentUsd).toBeLessThanOrEqual(maxCostUsd);

  const resume =
    'mutation($id: ID!, $max: Float) { resumeBatch(id: $id, maxCostUsd: $max) { batch { id } } }';
  await ask(app, resume, { id, max: 1000 });
  expect(await untilEnded(app, id)).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: items },
  });
  expect(await readProviderBatches(app, id)).toHaveLength(2);
});

test('the first job of a batch whose answers are guessed stays within the limit if they are long', async () => {
  const free = await submitForProvider(app, texts(100));
  await untilEnded(app, free);
  const meanUsd = (await costOf(free)) / 100;

  const maxCostUsd = 60.5 * meanUsd;
  const id = await submitForProvider(app, texts(100), { maxCostUsd, autoStart: false });
  const providerBatchUsd = { expected: 50 * meanUsd, high: 125 * meanUsd };
  const quote = JSON.stringify({ outputBasis: 'GUESSED', providerBatchUsd });
  await sql`update batches set quote = ${quote} where id = ${id}`;
  await ask(app, 'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');

  const jobs = await readProviderBatches(app, id);
  expect(jobs.map(({ counts }) => counts.total)).toEqual([48, 12]);
  expect(await costOf(id)).toBeLessThanOrEqual(maxCostUsd);
});

test('live repairs of a job stop where the limit ends, and what is left goes on after the resume', async () => {
  const free = await submitForProvider(app, texts(items));
  await untilEnded(app, free);
  const meanUsd = (await costOf(free)) / items;
  app.sandbox.faults.add({
    fault: { kind: 'wrong_category' },
    when: ({ batchId }) => batchId !== null,
    times: items,
  });

  const maxCostUsd = 70 * meanUsd;
  const id = await submitForProvider(app, texts(items), { maxCostUsd, autoStart: false });
  const quote = JSON.stringify({ providerBatchUsd: { expected: items * meanUsd } });
  await sql`update batches set quote = ${quote} where id = ${id}`;
  await ask(app, 'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });
  const paused = await untilBatch(
    app,
    id,
    ({ status, counts }) => status === 'PAUSED' && counts.processing === 0,
  );
  const query = 'query($id: ID!) { batch(id: $id) { pause { reason message } } }';
  const { batch } = await ask<{ batch: { pause: object } }>(app, query, { id });

  expect(batch.pause).toEqual({
    reason: 'BUDGET',
    message: expect.stringMatching(/^maxCostUsd is \S+ USD; \S+ USD were spent, and an item costs/),
  });
  expect(paused.counts.succeeded).toBeGreaterThan(0);
  expect(paused.counts.succeeded).toBeLessThan(items / 2);
  // Of the sixteen that are under way at once, each may cost more than was expected.
  expect(await costOf(id)).toBeLessThanOrEqual(maxCostUsd + 16 * meanUsd);

  const resume =
    'mutation($id: ID!, $max: Float) { resumeBatch(id: $id, maxCostUsd: $max) { batch { id } } }';
  await ask(app, resume, { id, max: 1000 });
  expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: items } });
});
