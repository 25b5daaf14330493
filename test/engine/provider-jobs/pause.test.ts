/** A paused batch makes no further job; the one under way is read; what is left goes on later. */
import { expect, test } from 'vitest';
import type { App } from '../../support/app.ts';
import { ask, readBatch, texts, untilBatch, untilEnded } from '../worker/support.ts';
import { readProviderBatches, shareProviderJobApp, submitForProvider } from './support.ts';

const items = 40;
let app: App;
shareProviderJobApp((shared) => {
  app = shared;
});

function pause(id: string): Promise<unknown> {
  return ask(app, 'mutation($id: ID!) { pauseBatch(id: $id) { batch { status } } }', { id });
}

function resume(id: string): Promise<unknown> {
  return ask(app, 'mutation($id: ID!) { resumeBatch(id: $id) { batch { status } } }', { id });
}

test('a job of a paused batch runs to its end and is read; no other is made before the resume', async () => {
  app.sandbox.batches.hold();
  app.sandbox.batches.outcomes.add({ fault: { kind: 'missing_results', count: 10 } });
  const id = await submitForProvider(app, texts(items));
  await app.sandbox.until(({ batches }) => batches.createdCount > 0);

  await pause(id);
  const atProvider = await readBatch(app, id);
  app.sandbox.batches.release();
  const read = await untilBatch(app, id, ({ counts }) => counts.processing === 0);

  expect(atProvider).toMatchObject({ status: 'PAUSED', counts: { processing: items } });
  expect(read).toMatchObject({ status: 'PAUSED', counts: { succeeded: 30, pending: 10 } });
  expect(app.sandbox.batches.createdCount).toBe(1);

  app.sandbox.batches.outcomes.clear();
  await resume(id);
  const ended = await untilEnded(app, id);
  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
  expect(app.sandbox.batches.createdCount).toBe(2);
});

test('a job that its provider does not have yet is given up, and another is made after the resume', async () => {
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'rate_limited', retryAfter: '3600' },
    when: ({ operation }) => operation === 'create',
    times: 1,
  });
  const id = await submitForProvider(app, texts(items));
  await app.sandbox.until(({ batches }) => batches.calls.create > 0);

  await pause(id);
  const paused = await untilBatch(app, id, ({ counts }) => counts.processing === 0);
  const [job] = await readProviderBatches(app, id);
  expect(paused).toMatchObject({ status: 'PAUSED', counts: { pending: items } });
  expect(job?.status).toBe('paused');

  await resume(id);
  expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: items } });
  expect(app.sandbox.batches.createdCount).toBe(1);
});

test('an answer of a job that needs a repair waits for the resume', async () => {
  app.sandbox.batches.hold();
  app.sandbox.faults.add({
    fault: { kind: 'wrong_category' },
    when: ({ batchId, text }) => batchId !== null && /text [0-4]$/.test(text),
    times: 5,
  });
  const id = await submitForProvider(app, texts(items));
  await app.sandbox.until(({ batches }) => batches.createdCount > 0);
  await pause(id);
  app.sandbox.batches.release();

  const read = await untilBatch(app, id, ({ counts }) => counts.processing === 0);
  expect(read).toMatchObject({ status: 'PAUSED', counts: { succeeded: items - 5, pending: 5 } });
  expect(app.sandbox.requests.count).toBe(0);

  await resume(id);
  expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: items, failed: 0 } });
});
