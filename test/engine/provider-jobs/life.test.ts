/**
 * A batch's life while its provider works: progress, its end on demand or in time, refusals, and
 * going on after them.
 */
import { describe, expect, test } from 'vitest';
import type { App } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import {
  ask,
  cancel,
  followProgress,
  readBatch,
  readItems,
  submit,
  sumOf,
  texts,
  untilBatch,
  untilEnded,
} from '../worker/support.ts';
import {
  providers,
  readProviderBatches,
  shareProviderJobApp,
  startOwnProviderJobApp,
  submitForProvider,
} from './support.ts';

const items = 150;
let app: App;
shareProviderJobApp((shared) => {
  app = shared;
});

function retry(id: string): Promise<unknown> {
  return ask(app, 'mutation($id: ID!) { retryBatch(id: $id) { retriedItems } }', { id });
}

/** Waits for the held job of the sandbox, and lets it answer so many rows. */
async function untilAnswered(rows: number): Promise<void> {
  await untilCreated();
  const [job] = app.sandbox.batches.created;
  // OpenAI's look at the input first.
  if (job?.stage === 'validating') app.sandbox.batches.advance();
  app.sandbox.batches.advance({ rows });
}

async function untilCreated(): Promise<void> {
  await app.sandbox.until(({ batches }) => batches.createdCount > 0);
}

describe.each(providers)('$provider', ({ provider, model }) => {
  test('a cancelled batch is CANCELLING until the provider confirms, and keeps what was finished', async () => {
    app.sandbox.batches.hold();
    const id = await submitForProvider(app, texts(items), { model });
    await untilAnswered(100);

    await cancel(app, id);
    await app.sandbox.until(({ batches }) => batches.calls.cancel > 0);
    const cancelling = await readBatch(app, id);
    app.sandbox.batches.release();
    const ended = await untilEnded(app, id);

    expect(cancelling).toMatchObject({ status: 'CANCELLING', counts: { processing: items } });
    expect(ended).toMatchObject({
      status: 'CANCELLED',
      counts: { succeeded: 100, cancelled: 50, failed: 0, expired: 0 },
      usage: { requests: 100 },
    });
    expect(app.sandbox.requests.count).toBe(0);
  });

  test('a deleted batch ends its job, and is gone', async () => {
    app.sandbox.batches.hold();
    const id = await submitForProvider(app, texts(items), { model });
    await untilCreated();

    await ask(app, 'mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }', { id });
    await app.sandbox.until(({ batches }) => batches.calls.cancel > 0);
    app.sandbox.batches.release();

    expect(await readBatch(app, id)).toBeNull();
    await app.sandbox.until(({ batches }) =>
      batches.created.every(({ stage }) => stage !== 'in_progress'),
    );
  });

  test('a key that is revoked in mid-batch stops it with a reason; a retry goes on with the same job', async () => {
    app = await startOwnProviderJobApp();
    app.sandbox.batches.hold();
    const id = await submitForProvider(app, texts(items), { model });
    await untilCreated();
    app.sandbox.demandKey('another');
    const stopped = await untilEnded(app, id);
    app.sandbox.demandKey(null);
    app.sandbox.batches.release();

    await retry(id);
    const ended = await untilEnded(app, id);

    expect(stopped).toMatchObject({
      status: 'FAILED',
      errorCode: 'INVALID_KEY',
      counts: { pending: items, processing: 0 },
    });
    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
    expect(app.sandbox.batches.createdCount).toBe(1);
  });

  test('a job that was rejected as a whole stops the batch with its reason; a retry hands it over again', async () => {
    app.sandbox.batches.outcomes.add({
      fault: {
        kind: 'rejected',
        problems: [{ code: 'invalid_file', line: null, message: 'no good', param: null }],
      },
      times: 1,
    });
    const id = await submitForProvider(app, texts(items), { model });
    const stopped = await untilEnded(app, id);
    await retry(id);
    const ended = await untilEnded(app, id);

    expect(stopped).toMatchObject({
      status: 'FAILED',
      errorCode: 'PROVIDER_REJECTED_FILE',
      counts: { pending: items },
    });
    expect(stopped.error).toContain('no good');
    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
  });

  test('a provider without a batch API stops the batch and says what would be right', async () => {
    app = await startOwnProviderJobApp();
    app.sandbox.batches.callFaults.add({ fault: { kind: 'status', status: 404 } });

    const id = await submitForProvider(app, texts(3), { model });
    const stopped = await untilEnded(app, id);

    expect(stopped).toMatchObject({ status: 'FAILED', errorCode: 'UNKNOWN_MODEL' });
    expect(stopped.error).toMatch(/no batch API/);
    expect(stopped.error).toMatch(/LIVE/);
  });

  /**
   * The provider takes so many bytes at once, whatever it says. Returns what counts how often it
   * was asked to take more.
   */
  function takeAtMost(most: number): () => number {
    const asked = provider === 'anthropic' ? 'create' : 'upload';
    let refusals = 0;
    app.sandbox.batches.callFaults.add({
      fault: { kind: 'status', status: 413, message: 'too much' },
      when: ({ operation, bytes }) => {
        const isTooMuch = operation === asked && bytes > most;
        if (isTooMuch) refusals += 1;
        return isTooMuch;
      },
    });
    return () => refusals;
  }

  test('what is too much for the provider at once is handed over in parts', async () => {
    app = await startOwnProviderJobApp();
    takeAtMost(20_000);

    const id = await submitForProvider(app, texts(80), { model });

    expect(await untilEnded(app, id)).toMatchObject({
      status: 'COMPLETED',
      counts: { succeeded: 80 },
      usage: { requests: 80 },
    });
    const sizes = (await readProviderBatches(app, id)).map(({ counts }) => counts.total);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(80);
  });

  test('how much it takes at once is learned once', async () => {
    app = await startOwnProviderJobApp();
    const countRefusals = takeAtMost(20_000);
    await untilEnded(app, await submitForProvider(app, texts(80), { model }));
    const learning = countRefusals();

    const id = await submitForProvider(app, texts(80), { model });

    expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: 80 } });
    expect(learning).toBeGreaterThan(0);
    expect(countRefusals()).toBe(learning);
  });

  test('a row that is too much for the provider alone fails, and the others go on', async () => {
    app = await startOwnProviderJobApp();
    takeAtMost(20_000);

    const id = await submitForProvider(app, ['short', 'x'.repeat(20_000), 'shorter', 'not long'], {
      model,
    });

    expect(await untilEnded(app, id)).toMatchObject({
      status: 'COMPLETED',
      counts: { succeeded: 3, failed: 1 },
    });
    const [, long] = await readItems(app, id);
    expect(long?.error).toMatchObject({
      code: 'CONTEXT_TOO_LONG',
      message: expect.stringContaining('too much'),
    });
  });

  test('a live batch beside it is not held up', async () => {
    app.sandbox.batches.hold();
    const id = await submitForProvider(app, texts(items), { model });
    const live = await submit(app, texts(50));

    expect(await untilEnded(app, live)).toMatchObject({ status: 'COMPLETED' });
    app.sandbox.batches.release();
    expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });
  });

  test('a draft is handed over when it is started, and a template’s missing field is its item’s error', async () => {
    const id = await submit(app, [], {
      operation: {
        label: {
          categories: ['praise', 'complaint'],
          model,
          userPromptTemplate: '{content} {who}',
        },
      },
      source: {
        items: [{ content: 'I love it', metadata: { who: 'Ann' } }, { content: 'It is broken' }],
      },
      execution: 'PROVIDER_BATCH',
      autoStart: false,
    });
    expect(await readProviderBatches(app, id)).toEqual([]);
    await ask(app, 'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });

    const ended = await untilEnded(app, id);
    expect(ended.counts).toMatchObject({ succeeded: 1, failed: 1 });
    expect((await readItems(app, id))[1]?.error?.code).toBe('TEMPLATE_FIELD_MISSING');
  });
});

test('lines that the provider names fail as their items, and the others are handed over again', async () => {
  app.sandbox.batches.outcomes.add({
    fault: {
      kind: 'rejected',
      problems: [
        { code: 'invalid_request', line: 3, message: 'bad line', param: null },
        { code: 'invalid_request', line: 120, message: 'bad line too', param: null },
      ],
    },
    times: 1,
  });
  const id = await submitForProvider(app, texts(items));
  const ended = await untilEnded(app, id);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items - 2, failed: 2 } });
  const failed = (await readItems(app, id)).filter(({ status }) => status === 'FAILED');
  expect(failed.map(({ index, error }) => [index, error?.code])).toEqual([
    [2, 'INVALID_REQUEST'],
    [119, 'INVALID_REQUEST'],
  ]);
  expect(failed[0]?.error?.message).toContain('bad line');
});

test('too much at once for the provider waits, and is handed over again', async () => {
  app = await startOwnProviderJobApp();
  app.sandbox.batches.outcomes.add({
    fault: {
      kind: 'rejected',
      problems: [
        { code: 'token_limit_exceeded', line: null, message: 'Enqueued token limit', param: null },
      ],
    },
    times: 2,
  });
  const id = await submitForProvider(app, texts(100));

  expect(await untilEnded(app, id)).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: 100 },
  });
  expect(app.sandbox.batches.createdCount).toBe(3);
});

describe('requests that name their models', () => {
  const row = (custom_id: string, model?: string) => ({
    custom_id,
    body: { ...(model && { model }), messages: [{ role: 'user', content: custom_id }] },
  });
  const submitRows = (requests: object[]) =>
    submit(app, [], {
      operation: { chat: {} },
      source: { requests },
      execution: 'PROVIDER_BATCH',
    });
  const statuses = async (id: string) =>
    Object.fromEntries(
      (await readItems(app, id)).map(({ customId, error }) => [customId, error?.code ?? 'ok']),
    );

  test('go to a job for each model', async () => {
    const id = await submitRows([row('a'), row('b', 'anthropic/rules'), row('c', 'rules')]);
    const ended = await untilEnded(app, id);

    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 3 } });
    const jobs = await readProviderBatches(app, id);
    expect(jobs.map(({ provider, counts }) => [provider, counts.succeeded])).toEqual([
      ['test', 2],
      ['anthropic', 1],
    ]);
  });

  test.each([['test/absent'], ['anthropic/absent']])(
    'fail alone where there is no %s, as they do live',
    async (absent) => {
      const id = await submitRows([row('b'), row('a', absent), row('c', absent)]);
      const ended = await untilEnded(app, id);

      expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 1, failed: 2 } });
      expect(await statuses(id)).toEqual({ a: 'INVALID_REQUEST', b: 'ok', c: 'INVALID_REQUEST' });
    },
  );

  test('fail alone where their provider has no batch API', async () => {
    app = await startOwnProviderJobApp({
      DEFAULT_MODEL: 'anthropic/rules',
      PROVIDERS: JSON.stringify({ plain: { baseURL: 'http://127.0.0.1:9/v1', batches: false } }),
    });
    const id = await submitRows([row('b'), row('a', 'plain/rules')]);
    const ended = await untilEnded(app, id);

    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 1, failed: 1 } });
    expect(await statuses(id)).toEqual({ a: 'INVALID_REQUEST', b: 'ok' });
  });
});

test('a subscription ends with the final state', async () => {
  const id = await submitForProvider(app, texts(items));
  const events = await followProgress(app.socket(), id);

  expect(events.at(-1)).toMatchObject({ status: 'COMPLETED', counts: { succeeded: items } });
  for (const { counts } of events) expect(sumOf(counts)).toBe(items);
  await untilBatch(app, id, ({ status }) => status === 'COMPLETED');
});

test('the provider’s counts are pushed while it works, and all counts add up', async () => {
  app.sandbox.batches.hold();
  const id = await submitForProvider(app, texts(items));
  const seen: { counts: number; done: number }[] = [];
  const socket = app.socket();
  const following = (async () => {
    for await (const { data } of socket.iterate<{ batchProgress: any }>({
      query: `subscription($id: ID!) { batchProgress(id: $id) { counts { total pending processing succeeded failed cancelled expired }
        providerBatches { counts { total pending processing succeeded failed cancelled expired } } } }`,
      variables: { id },
    })) {
      const batch = data?.batchProgress;
      for (const { counts } of batch.providerBatches) expect(sumOf(counts)).toBe(counts.total);
      seen.push({
        counts: sumOf(batch.counts),
        done: batch.providerBatches[0]?.counts.succeeded ?? 0,
      });
    }
  })();
  await untilCreated();
  app.sandbox.batches.advance();
  for (const answered of [50, 100]) {
    app.sandbox.batches.advance({ rows: 50 });
    await until(() => seen.some(({ done }) => done === answered), {
      deadlineMs: 5_000,
      what: 'the provider’s counts',
    });
  }
  app.sandbox.batches.release();
  await following;

  expect(new Set(seen.map(({ counts }) => counts))).toEqual(new Set([items]));
  expect(seen.some(({ done }) => done > 0 && done < items)).toBe(true);
  expect(seen.at(-1)?.done).toBe(items);
});

test('a batch whose provider does nothing says why, until it goes on', async () => {
  app.sandbox.batches.callFaults.add({
    fault: { kind: 'status', status: 503, message: 'down for a while' },
    when: ({ operation }) => operation === 'retrieve',
    times: 3,
  });
  const id = await submitForProvider(app, texts(20));
  const read = () =>
    ask<{ batch: { waiting: { reason: string; since: string; until: string } | null } }>(
      app,
      'query($id: ID!) { batch(id: $id) { waiting { reason since until } } }',
      { id },
    );
  const waiting = await until(async () => (await read()).batch.waiting, {
    deadlineMs: 5_000,
    what: 'the reason',
  });
  const ended = await untilEnded(app, id);

  expect(waiting?.reason).toContain('503');
  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 20 } });
  expect((await read()).batch.waiting).toBeNull();
});

test('a batch whose time runs out ends its job, and keeps what was finished', async () => {
  app.sandbox.batches.hold();
  const id = await submitForProvider(app, texts(items), { expiresInSeconds: 3 });
  await untilAnswered(100);
  await app.sandbox.until(({ batches }) => batches.calls.cancel > 0);
  app.sandbox.batches.release();

  expect(await untilEnded(app, id)).toMatchObject({
    status: 'EXPIRED',
    counts: { succeeded: 100, expired: 50 },
  });
});

test('with rescue, a batch whose time is nearly over ends its job and calls the rest live', async () => {
  app.sandbox.batches.hold();
  const id = await submitForProvider(app, texts(items), {
    rescue: true,
    expiresInSeconds: 12,
  });
  await untilAnswered(100);
  await app.sandbox.until(({ batches }) => batches.calls.cancel > 0);
  const before = app.sandbox.requests.count;
  app.sandbox.batches.release();

  expect(await untilEnded(app, id, 20_000)).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: items },
    usage: { requests: items },
  });
  expect(before).toBe(0);
  expect(app.sandbox.requests.count).toBe(50);
});
