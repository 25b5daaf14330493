/**
 * Jobs that have only a part of their chunks' items: items of another model, and what was too much
 * at once, are for other jobs.
 */
import { expect, test } from 'vitest';
import type { NewBatch } from '../../../src/sandbox/wire/equipment.ts';
import type { App } from '../../support/app.ts';
import { ask, readItems, submit, texts, untilEnded } from '../worker/support.ts';
import {
  readProviderBatches,
  shareProviderJobApp,
  startOwnProviderJobApp,
  submitForProvider,
} from './support.ts';

let app: App;
shareProviderJobApp((shared) => {
  app = shared;
});

const isOpenAi = ({ provider }: NewBatch) => provider === 'openai';

/** Three requests of one model, and between them two of another. */
const mixed = ['test/rules', 'anthropic/rules', 'test/rules', 'anthropic/rules', 'test/rules'];

function submitRequests(
  input: Record<string, unknown> = {},
  models: readonly string[] = mixed,
): Promise<string> {
  return submit(app, [], {
    operation: { chat: {} },
    source: {
      requests: models.map((model, row) => ({
        custom_id: `row-${row}`,
        body: { model, messages: [{ role: 'user', content: `text ${row}` }] },
      })),
    },
    execution: 'PROVIDER_BATCH',
    ...input,
  });
}

async function statuses(id: string): Promise<string[]> {
  return (await readItems(app, id)).map(({ status }) => status);
}

test('models of which each has chunks of its own have their jobs at the same time', async () => {
  app.sandbox.batches.hold();
  const named = (model: string) => Array.from({ length: 100 }, () => model);

  const id = await submitRequests({}, [...named('test/rules'), ...named('anthropic/rules')]);
  await app.sandbox.until(({ batches }) => batches.createdCount === 2);
  const jobs = await readProviderBatches(app, id);
  app.sandbox.batches.release();

  expect(await untilEnded(app, id)).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: 200 },
  });
  expect(jobs.map(({ provider, counts }) => [provider, counts.total])).toEqual([
    ['test', 100],
    ['anthropic', 100],
  ]);
});

test.each([
  ['openai', ['EXPIRED', 'SUCCEEDED', 'EXPIRED', 'SUCCEEDED', 'EXPIRED']],
  ['anthropic', ['SUCCEEDED', 'EXPIRED', 'SUCCEEDED', 'EXPIRED', 'SUCCEEDED']],
])(
  'a job that expires at %s leaves items of another model to their own job',
  async (provider, expected) => {
    app.sandbox.batches.outcomes.add({
      fault: { kind: 'expired', done: 0 },
      when: (batch) => batch.provider === provider,
    });

    const id = await submitRequests();
    const ended = await untilEnded(app, id);

    expect(ended).toMatchObject({ status: 'EXPIRED' });
    expect(await statuses(id)).toEqual(expected);
  },
);

test('with rescue, only what was in the job that expired is called live', async () => {
  app.sandbox.batches.outcomes.add({ fault: { kind: 'expired', done: 1 }, when: isOpenAi });

  const id = await submitRequests({ rescue: true });
  const ended = await untilEnded(app, id);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 5 } });
  expect(app.sandbox.requests.count).toBe(2);
  expect(app.sandbox.batches).toMatchObject({ createdCount: 2, answeredRows: 3 });
});

test('what failed in a rescue and is retried goes to the provider’s batch API again', async () => {
  app.sandbox.batches.outcomes.add({ fault: { kind: 'expired', done: 0 }, times: 1 });
  app.sandbox.faults.add({
    fault: { kind: 'status', status: 400 },
    when: ({ batchId }) => batchId === null,
    times: 1,
  });
  const id = await submitForProvider(app, texts(3), { rescue: true });
  const rescued = await untilEnded(app, id);

  await ask(app, 'mutation($id: ID!) { retryBatch(id: $id) { retriedItems } }', { id });

  expect(rescued.counts).toMatchObject({ succeeded: 2, failed: 1 });
  expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: 3, failed: 0 } });
  expect(app.sandbox.requests.count).toBe(3);
  expect(app.sandbox.batches.createdCount).toBe(2);
});

test('with rescue, a job that expires ends no other one', async () => {
  app = await startOwnProviderJobApp();
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'status', status: 413 },
    when: ({ operation }) => operation === 'upload',
    times: 1,
  });
  app.sandbox.batches.outcomes.add({
    fault: { kind: 'expired', done: 10 },
    when: ({ firstCustomId }) => firstCustomId.endsWith('-0'),
  });

  const id = await submitForProvider(app, texts(80), { rescue: true });
  const ended = await untilEnded(app, id);

  const [first] = await readProviderBatches(app, id);
  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 80 } });
  expect(app.sandbox.requests.count).toBe((first?.counts.total ?? 0) - 10);
  expect(app.sandbox.batches.calls.cancel).toBe(0);
});

test('a job that expires leaves the rest of its chunk to the next one', async () => {
  app = await startOwnProviderJobApp();
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'status', status: 413 },
    when: ({ operation }) => operation === 'upload',
    times: 1,
  });
  app.sandbox.batches.outcomes.add({ fault: { kind: 'expired', done: 10 }, times: 1 });

  const id = await submitForProvider(app, texts(80));
  const ended = await untilEnded(app, id);

  const [first] = await readProviderBatches(app, id);
  const expired = (first?.counts.total ?? 0) - 10;
  expect(first?.counts.total).toBeLessThan(60);
  expect(ended).toMatchObject({ counts: { expired, succeeded: 80 - expired } });
});

test('an item whose request failed in a job that expired is asked again: the provider had come to it', async () => {
  app.sandbox.faults.add({
    fault: { kind: 'status', status: 500 },
    when: ({ batchId }) => batchId !== null,
    times: 3,
  });
  app.sandbox.batches.outcomes.add({ fault: { kind: 'expired', done: 5 }, times: 1 });

  const id = await submitForProvider(app, texts(20));
  const ended = await untilEnded(app, id);

  expect(ended).toMatchObject({ status: 'EXPIRED', counts: { succeeded: 5, expired: 15 } });
});

test('what a job leaves unanswered again and again is charged to no item of another model', async () => {
  app.sandbox.batches.outcomes.add({
    fault: { kind: 'missing_results', count: 3 },
    when: isOpenAi,
  });

  const id = await submitRequests();
  const ended = await untilEnded(app, id);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 2, failed: 3 } });
  expect(await statuses(id)).toEqual(['FAILED', 'SUCCEEDED', 'FAILED', 'SUCCEEDED', 'FAILED']);
  const jobs = await readProviderBatches(app, id);
  expect(jobs.map(({ provider, counts }) => [provider, counts.total]).sort()).toEqual([
    ['anthropic', 2],
    ['test', 3],
    ['test', 3],
    ['test', 3],
  ]);
});

test('a line that the provider names is its item also where a job has items of one model among others', async () => {
  app.sandbox.batches.outcomes.add({
    fault: {
      kind: 'rejected',
      problems: [{ code: 'invalid_request', line: 2, message: 'bad line', param: null }],
    },
    when: isOpenAi,
    times: 1,
  });

  const id = await submitRequests();
  const ended = await untilEnded(app, id);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 4, failed: 1 } });
  const failed = (await readItems(app, id)).filter(({ status }) => status === 'FAILED');
  expect(failed).toMatchObject([
    { index: 2, error: { code: 'INVALID_REQUEST', message: expect.stringContaining('bad line') } },
  ]);
});

test('a line that the provider names is its item also where its chunk was cut', async () => {
  app = await startOwnProviderJobApp();
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'status', status: 413 },
    when: ({ operation }) => operation === 'upload',
    times: 1,
  });
  app.sandbox.batches.outcomes.add({
    fault: {
      kind: 'rejected',
      problems: [{ code: 'invalid_request', line: 7, message: 'bad line', param: null }],
    },
    when: ({ firstCustomId }) => firstCustomId.endsWith('-0'),
    times: 1,
  });

  const id = await submitForProvider(app, texts(80));
  const ended = await untilEnded(app, id);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 79, failed: 1 } });
  expect((await statuses(id)).indexOf('FAILED')).toBe(6);
});
