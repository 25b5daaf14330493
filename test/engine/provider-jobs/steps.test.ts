/** What happens in the middle of a step: cancels, failures of its own, retries. */
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { ask, cancel, readBatch, readItems, submit, texts, untilEnded } from '../worker/support.ts';
import {
  providerJobEnv,
  providers,
  readProviderBatches,
  startProviderJobApp,
  submitForProvider,
} from './support.ts';

let app: App;
beforeEach(async () => {
  app = await startProviderJobApp();
});
afterEach(() => app.stop());

describe.each(providers)('$provider', ({ model }) => {
  test('a cancel breaks off the live calls for invalid answers, and starts no more', async () => {
    app.sandbox.faults.add({
      fault: { kind: 'wrong_category' },
      when: ({ batchId }) => batchId !== null,
    });
    app.sandbox.faults.add({
      fault: { kind: 'stall', at: 'headers' },
      when: ({ batchId }) => batchId === null,
    });
    const id = await submitForProvider(app, texts(100), { model });
    await app.sandbox.until(({ requests }) => requests.count >= 16);

    await cancel(app, id);

    expect(await untilEnded(app, id)).toMatchObject({
      status: 'CANCELLED',
      counts: { succeeded: 0, failed: 0, cancelled: 100 },
      resentRequests: 0,
    });
    expect(app.sandbox.requests.count).toBe(16);
    const { batch } = await ask<{ batch: { usage: Record<string, number> } }>(
      app,
      'query($id: ID!) { batch(id: $id) { usage { requests unmeteredRequests inputTokens } } }',
      { id },
    );
    const items = await readItems(app, id);
    const tokens = items.map(({ usage }) => usage?.inputTokens ?? 0);
    expect(tokens.every((input) => input > 0)).toBe(true);
    expect(batch.usage).toEqual({
      requests: 100 + 16,
      unmeteredRequests: 16,
      inputTokens: tokens.reduce((sum, input) => sum + input, 0),
    });
  });

  test('a retry asks anew what had failed, also where its job is read again', async () => {
    app.sandbox.faults.add({
      fault: { kind: 'status', status: 400, message: 'not this one' },
      when: ({ text }) => text.endsWith('text 7'),
      times: 1,
    });
    app.sandbox.faults.add({
      fault: { kind: 'wrong_category' },
      when: ({ batchId, text }) => batchId !== null && text.endsWith('text 9'),
      times: 1,
    });
    app.sandbox.faults.add({
      fault: { kind: 'status', status: 401 },
      when: ({ batchId }) => batchId === null,
      times: 1,
    });
    const id = await submitForProvider(app, texts(20), { model });
    const stopped = await untilEnded(app, id);

    await ask(app, 'mutation($id: ID!) { retryBatch(id: $id) { retriedItems } }', { id });
    const ended = await untilEnded(app, id);

    expect(stopped).toMatchObject({
      status: 'FAILED',
      errorCode: 'INVALID_KEY',
      counts: { succeeded: 18, failed: 1, pending: 1 },
    });
    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 20, failed: 0 } });
    const jobs = await readProviderBatches(app, id);
    expect(jobs.map(({ counts }) => counts.total)).toEqual([20, 1]);
  });
});

test('a batch that is cancelled while its input is uploaded is not handed over', async () => {
  const id = await submitForProvider(app, texts(10), { autoStart: false });
  let cancelled: Promise<unknown> = Promise.resolve();
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'latency', ms: 1_000 },
    when: ({ operation }) => {
      if (operation === 'upload') cancelled = cancel(app, id);
      return operation === 'upload';
    },
    times: 1,
  });

  await ask(app, 'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });
  const ended = await untilEnded(app, id);
  await cancelled;

  expect(ended).toMatchObject({ status: 'CANCELLED', counts: { cancelled: 10 } });
  expect(app.sandbox.batches.calls).toMatchObject({ upload: 1, create: 0 });
});

test('a request for a model without a batch API is its item’s error, and says what would be right', async () => {
  const { sandbox } = app;
  const server = { baseURL: sandbox.url, models: ['rules'] };
  const both = await startApp(
    providerJobEnv(sandbox, {
      PROVIDERS: JSON.stringify({ test: server, bare: { ...server, batches: false } }),
    }),
    { sandbox },
  );
  onTestFinished(() => both.stop());
  const request = (model: string) => ({
    custom_id: model,
    body: { model, messages: [{ role: 'user', content: 'Hello' }] },
  });
  const id = await submit(both, [], {
    operation: { chat: {} },
    source: { requests: [request('test/rules'), request('bare/rules')] },
    execution: 'PROVIDER_BATCH',
  });

  const ended = await untilEnded(both, id);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 1, failed: 1 } });
  expect(await readItems(both, id)).toMatchObject([
    { error: null },
    { error: { code: 'INVALID_REQUEST', message: expect.stringContaining('LIVE') } },
  ]);
});

test('a provider that never confirms the end of a job is not waited for longer than a job can last', async () => {
  app.sandbox.batches.outcomes.add({ fault: { kind: 'unknown_status', status: 'pondering' } });
  const id = await submitForProvider(app, texts(10));
  await app.sandbox.until(({ batches }) => batches.createdCount > 0);
  await cancel(app, id);
  await app.sandbox.until(({ batches }) => batches.calls.cancel > 0);
  const cancelling = await readBatch(app, id);

  const sql = postgres(app.databaseUrl, { max: 1 });
  // The provider is asked before the worker writes down that it was.
  const backdate = () => sql`
    update provider_batches set cancelled_at = cancelled_at - interval '25 hours'
    where cancelled_at is not null`;
  await until(async () => (await backdate()).count === 1, {
    deadlineMs: 10_000,
    what: 'a note of it',
  });
  await sql.end();

  expect(cancelling.status).toBe('CANCELLING');
  expect(await untilEnded(app, id)).toMatchObject({ status: 'CANCELLED' });
});
