/** What is left of an input at a provider that takes files, when its job came to nothing. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BatchProblem } from '../../../src/sandbox/wire/equipment.ts';
import type { App } from '../../support/app.ts';
import { cancel, texts, untilEnded } from '../worker/support.ts';
import { readProviderBatches, startProviderJobApp, submitForProvider } from './support.ts';

const items = 20;
let app: App;
beforeEach(async () => {
  app = await startProviderJobApp();
});
afterEach(() => app.stop());

function reject(problem: Partial<BatchProblem>, times = 1): void {
  const problems = [
    { code: 'invalid_file', line: null, message: 'no good', param: null, ...problem },
  ];
  app.sandbox.batches.outcomes.add({ fault: { kind: 'rejected', problems }, times });
}

/** Waits until the provider keeps nothing that was uploaded. */
async function untilGone(): Promise<void> {
  await app.sandbox.until(({ batches }) =>
    batches.files.every(({ purpose }) => purpose !== 'batch'),
  );
}

test('what is too much at once is uploaded once, however often its job is created', async () => {
  reject({ code: 'token_limit_exceeded', message: 'Enqueued token limit' }, 3);

  const id = await submitForProvider(app, texts(items));
  const ended = await untilEnded(app, id);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
  expect(app.sandbox.batches).toMatchObject({ createdCount: 4, uploadedCount: 1 });
  expect(await readProviderBatches(app, id)).toMatchObject([
    { providerId: app.sandbox.batches.created.at(-1)?.id, counts: { succeeded: items } },
  ]);
});

test('a job that is too much for the provider’s queue alone is made smaller, and later ones are no larger', async () => {
  const { batches } = app.sandbox;
  const inQueue = () =>
    batches.created
      .filter(({ stage }) => stage === 'in_progress' || stage === 'finalizing')
      .reduce((sum, { total }) => sum + total, 0);
  batches.outcomes.add({
    fault: {
      kind: 'rejected',
      problems: [
        { code: 'token_limit_exceeded', line: null, message: 'Enqueued token limit', param: null },
      ],
    },
    when: ({ total }) => inQueue() + total > 150,
  });

  const id = await submitForProvider(app, texts(600));
  const ended = await untilEnded(app, id, 30_000);

  expect(ended).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: 600 },
    usage: { requests: 600 },
  });
  const sizes = (await readProviderBatches(app, id)).map(({ counts }) => counts.total);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(150);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(600);
  // None was made smaller than its share: a job waits for those before it with its upload.
  expect(batches.uploadedCount).toBeLessThan(12);
});

test('a create whose answer is lost is not taken for the one that was refused before', async () => {
  reject({ code: 'token_limit_exceeded', message: 'Enqueued token limit' });
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'lost_answer' },
    when: ({ operation, number }) => operation === 'create' && number === 2,
  });

  const id = await submitForProvider(app, texts(items));

  expect(await untilEnded(app, id)).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: items },
  });
  expect(app.sandbox.batches).toMatchObject({ createdCount: 2, uploadedCount: 1 });
});

test('the input of a job that was rejected is deleted', async () => {
  reject({});

  const id = await submitForProvider(app, texts(items));
  const ended = await untilEnded(app, id);
  await untilGone();

  expect(ended).toMatchObject({ status: 'FAILED', errorCode: 'PROVIDER_REJECTED_FILE' });
});

test('the input of a job that was rejected for some lines is deleted, and what is handed over anew is kept', async () => {
  reject({ code: 'invalid_request', line: 2 });

  const id = await submitForProvider(app, texts(items));
  await untilEnded(app, id);
  await app.sandbox.until(({ batches }) => batches.calls.delete_file === 1);

  const { created, files } = app.sandbox.batches;
  expect(created).toHaveLength(2);
  expect(files.filter(({ purpose }) => purpose === 'batch').map((file) => file.id)).toEqual([
    created[1]?.inputFileId,
  ]);
});

test('the input of a job whose creation is refused is deleted', async () => {
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'status', status: 401 },
    when: ({ operation }) => operation === 'create',
  });

  const id = await submitForProvider(app, texts(items));
  const ended = await untilEnded(app, id);
  await untilGone();

  expect(ended).toMatchObject({ status: 'FAILED', errorCode: 'INVALID_KEY' });
  expect(app.sandbox.batches.uploadedCount).toBe(1);
});

test('the input of a batch that is cancelled before its job is created is deleted', async () => {
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'status', status: 429, headers: { 'retry-after': '3600' } },
    when: ({ operation }) => operation === 'create',
  });
  const id = await submitForProvider(app, texts(items));
  await app.first('batch.started', { batch: id });
  await app.sandbox.until(({ batches }) => batches.calls.create > 0);

  await cancel(app, id);

  expect(await untilEnded(app, id)).toMatchObject({ status: 'CANCELLED' });
  await untilGone();
});

test.each([
  ['is not there', { kind: 'status', status: 404 }],
  ['cannot be deleted', { kind: 'status', status: 500 }],
  ['is never answered for', { kind: 'latency', ms: 3_600_000 }],
] as const)('an input that %s holds nothing up', async (_name, fault) => {
  app.sandbox.batches.callFaults.add({
    fault,
    when: ({ operation }) => operation === 'delete_file',
  });
  reject({ code: 'invalid_request', line: 2 });

  const id = await submitForProvider(app, texts(items));

  expect(await untilEnded(app, id)).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: items - 1, failed: 1 },
  });
  expect(app.sandbox.batches.calls.delete_file).toBe(1);
});
