/**
 * Whatever a provider makes of a job: what it answered is kept, each item once, and the rest is
 * asked again or says why not.
 */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/sandbox/faults/outcomes.ts';
import type { App } from '../../support/app.ts';
import {
  readBatch,
  readItems,
  submit,
  sumOf,
  texts,
  timesAsked,
  untilEnded,
} from '../worker/support.ts';
import {
  providers,
  readProviderBatches,
  shareProviderJobApp,
  submitForProvider,
} from './support.ts';

const items = 250;
let app: App;
shareProviderJobApp((shared) => {
  app = shared;
});

describe.each(providers)('$provider', ({ provider, model }) => {
  test('a batch has the answers of live calls, in input order, at one request an item', async () => {
    const live = await submit(app, texts(items));
    const id = await submitForProvider(app, texts(items), { model });

    const ended = await untilEnded(app, id);
    await untilEnded(app, live);

    expect(ended).toMatchObject({
      status: 'COMPLETED',
      counts: { total: items, succeeded: items, failed: 0 },
      usage: { requests: items },
      resentRequests: 0,
    });
    expect((await readItems(app, id)).map(({ index, output }) => [index, output?.label])).toEqual(
      (await readItems(app, live)).map(({ index, output }) => [index, output?.label]),
    );
    expect(app.sandbox.requests.count).toBe(items);
    expect(await readProviderBatches(app, id)).toMatchObject([
      {
        provider,
        providerId: app.sandbox.batches.created[0]?.id,
        counts: { total: items, succeeded: items, pending: 0, processing: 0 },
      },
    ]);
  });

  const harmless: [string, Outcome][] = [
    ['lines that come twice', { kind: 'duplicate_results', count: 7 }],
    ['lines for requests that were never made', { kind: 'foreign_results', count: 3 }],
    ['counts that are wrong', { kind: 'wrong_counts', counts: { completed: 9_999, failed: -3 } }],
    ['a status that nobody knows', { kind: 'unknown_status', status: 'pondering', looks: 2 }],
  ];
  test.each(harmless)('%s change nothing', async (_name, outcome) => {
    app.sandbox.batches.outcomes.add({ fault: outcome, times: 1 });

    const id = await submitForProvider(app, texts(items), { model });
    const ended = await untilEnded(app, id);

    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
    expect(ended.usage.requests).toBe(items);
    expect(app.sandbox.batches.createdCount).toBe(1);
  });

  const partial: [string, Outcome, number][] = [
    ['missing lines', { kind: 'missing_results', count: 5 }, 5],
    ['lines without an id', { kind: 'anonymous_results', count: 4 }, 4],
    ['garbled lines', { kind: 'garbled_results', count: 3 }, 3],
    ['a job that somebody else cancelled', { kind: 'cancelled', done: 100 }, 150],
  ];
  test.each(partial)(
    'after %s only what is missing is sent again',
    async (_name, outcome, missing) => {
      app.sandbox.batches.outcomes.add({ fault: outcome, times: 1 });

      const id = await submitForProvider(app, texts(items), { model });
      const ended = await untilEnded(app, id);

      expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
      expect(ended.usage.requests).toBe(items);
      const jobs = await readProviderBatches(app, id);
      expect(jobs.map(({ counts }) => counts.total)).toEqual([items, missing]);
    },
  );

  test('an item that is left unanswered in three jobs fails, and says so', async () => {
    app.sandbox.batches.outcomes.add({ fault: { kind: 'missing_results', count: 2 } });

    const id = await submitForProvider(app, texts(items), { model });
    const ended = await untilEnded(app, id);

    expect(ended.status).toBe('COMPLETED');
    expect(ended.counts).toMatchObject({ succeeded: items - 2, failed: 2 });
    expect(ended.errorSummary).toMatchObject([
      { code: 'PROVIDER_ERROR', count: 2, message: expect.stringContaining('3 batches') },
    ]);
    expect(app.sandbox.batches.createdCount).toBe(3);
  });

  test('requests that fail for good are their items’ errors; those that may pass are sent again', async () => {
    app.sandbox.faults.add({
      fault: { kind: 'status', status: 400, message: 'not this one' },
      when: ({ text }) => text.endsWith('text 7'),
    });
    app.sandbox.faults.add({
      fault: { kind: 'status', status: 500 },
      when: ({ text }) => text.endsWith('text 9'),
      times: 1,
    });

    const id = await submitForProvider(app, texts(20), { model });
    const ended = await untilEnded(app, id);

    expect(ended.counts).toMatchObject({ total: 20, succeeded: 19, failed: 1 });
    const failed = (await readItems(app, id))[7];
    expect(failed).toMatchObject({ status: 'FAILED', error: { code: 'INVALID_REQUEST' } });
    expect(app.sandbox.batches.createdCount).toBe(2);
  });

  test('invalid answers are asked again live, with what was wrong, and everything is paid once', async () => {
    app.sandbox.faults.add({
      fault: { kind: 'wrong_category' },
      when: ({ batchId, text }) => batchId !== null && /text [0-9]$/.test(text),
    });

    const id = await submitForProvider(app, texts(100), { model });
    const ended = await untilEnded(app, id);

    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 100 } });
    expect(ended.usage.requests).toBe(110);
    expect([...timesAsked(app.sandbox).values()]).toHaveLength(10);
    const repaired = (await readItems(app, id)).slice(0, 10);
    expect(repaired.map(({ attempts, usage }) => [attempts, usage?.requests])).toEqual(
      Array(10).fill([2, 2]),
    );
    expect(app.sandbox.batches.createdCount).toBe(1);
  });

  test('a job of which everything fails has only errors, and each item its own', async () => {
    app.sandbox.batches.outcomes.add({ fault: { kind: 'all_errored', status: 400 } });

    const id = await submitForProvider(app, texts(30), { model });
    const ended = await untilEnded(app, id);

    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { failed: 30 } });
    expect(ended.errorSummary).toMatchObject([{ code: 'INVALID_REQUEST', count: 30 }]);
  });

  test('what the window left undone is EXPIRED, and a retry sends only that', async () => {
    app.sandbox.batches.outcomes.add({ fault: { kind: 'expired', done: 100 }, times: 1 });

    const id = await submitForProvider(app, texts(items), { model });
    const expired = await untilEnded(app, id);
    await app.graphql('mutation($id: ID!) { retryBatch(id: $id) { retriedItems } }', { id });
    const ended = await untilEnded(app, id);

    expect(expired).toMatchObject({
      status: 'EXPIRED',
      counts: { succeeded: 100, expired: 150, failed: 0, pending: 0 },
    });
    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
    expect(app.sandbox.batches.answeredRows).toBe(items);
  });

  test('with rescue, what the window left undone is called live', async () => {
    app.sandbox.batches.outcomes.add({ fault: { kind: 'expired', done: 100 }, times: 1 });

    const id = await submitForProvider(app, texts(items), { model, rescue: true });
    const ended = await untilEnded(app, id);

    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items, expired: 0 } });
    expect(app.sandbox.requests.count).toBe(150);
    expect(app.sandbox.batches.createdCount).toBe(1);
  });

  test('a download that breaks off is read again, and nothing comes twice', async () => {
    app.sandbox.batches.callFaults.add({
      fault: { kind: 'drop', at: 'body' },
      when: ({ operation }) => operation === 'download',
      times: 2,
    });

    const id = await submitForProvider(app, texts(items), { model });
    const ended = await untilEnded(app, id);

    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
    expect(ended.usage.requests).toBe(items);
    expect(sumOf((await readBatch(app, id)).counts)).toBe(items);
  });
});

test('a download that fails is tried again, and usage is counted once', async () => {
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'status', status: 502 },
    when: ({ operation }) => operation === 'download',
    times: 6,
  });

  const id = await submitForProvider(app, texts(items));
  const ended = await untilEnded(app, id, 30_000);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
  expect(ended.usage.requests).toBe(items);
  expect(app.sandbox.batches.calls.download).toBeGreaterThanOrEqual(7);
});
