import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import {
  ask,
  followProgress,
  hasEnded,
  readBatch,
  readItems,
  submit,
  sumOf,
  texts,
  timesAsked,
  untilEnded,
} from './support.ts';

const concurrency = 16;

let app: App;

beforeAll(async () => {
  app = await startApp({
    WORKER_CONCURRENCY: String(concurrency),
    MODEL_TIMEOUT_MS: '500',
  });
});
afterAll(() => app.stop());
beforeEach(() => {
  app.sandbox.faults.clear();
  app.sandbox.requests.clear();
  app.sandbox.requests.keep(5_000);
});

const about =
  (...wanted: number[]) =>
  ({ text }: { text: string }) =>
    wanted.some((index) => text === `text ${index}`);

test('rate limits cost no item an attempt, and nothing is sent before Retry-After is over', async () => {
  app.sandbox.faults.add({
    fault: { kind: 'rate_limited', retryAfterMs: 400 },
    times: 5,
  });

  const id = await submit(app, texts(100));
  const batch = await untilEnded(app, id);
  const items = await readItems(app, id);

  expect(batch).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 100 } });
  expect(new Set(items.map(({ attempts }) => attempts))).toEqual(new Set([1]));
  expect(batch.usage.requests).toBe(105);
  const { journal } = app.sandbox.requests;
  const limited = journal.filter(({ answered }) => answered === 429).map(({ at }) => at);
  expect(limited).toHaveLength(5);
  // Only what was under way already when the gate closed.
  for (const then of limited) {
    const early = journal.filter(({ at }) => at > then && at < then + 390);
    expect(early.length).toBeLessThan(concurrency);
  }
});

test('what fails once by a 500, a reset, a stall or half a body is asked again and succeeds', async () => {
  const { faults } = app.sandbox;
  faults.add({ fault: { kind: 'status', status: 500 }, when: about(1, 2, 3), times: 3 });
  faults.add({ fault: { kind: 'drop', at: 'headers' }, when: about(10), times: 1 });
  faults.add({ fault: { kind: 'drop', at: 'body' }, when: about(11), times: 1 });
  faults.add({ fault: { kind: 'stall', at: 'headers' }, when: about(20), times: 1 });
  faults.add({ fault: { kind: 'stall', at: 'body' }, when: about(21), times: 1 });
  faults.add({ fault: { kind: 'raw', body: '<html>' }, when: about(30), times: 1 });

  const id = await submit(app, texts(50));
  const batch = await untilEnded(app, id);
  const items = await readItems(app, id);

  expect(batch.counts).toMatchObject({ succeeded: 50, failed: 0 });
  const twice = items.filter(({ attempts }) => attempts === 2).map(({ index }) => index);
  expect(twice).toEqual([1, 2, 3, 10, 11, 20, 21, 30]);
  expect(batch.usage.requests).toBe(58);
});

test('a refusal, a content filter and a refused request fail their item alone, at once', async () => {
  const { faults } = app.sandbox;
  faults.add({ fault: { kind: 'refusal' }, when: about(3) });
  faults.add({ fault: { kind: 'content_filter' }, when: about(5) });
  faults.add({ fault: { kind: 'status', status: 400, message: 'bad' }, when: about(7) });

  const id = await submit(app, texts(20));
  const batch = await untilEnded(app, id);
  const items = await readItems(app, id);

  expect(batch).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 17, failed: 3 } });
  const failed = items.filter(({ status }) => status === 'FAILED');
  expect(failed.map(({ index, error, attempts }) => [index, error?.code, attempts])).toEqual([
    [3, 'REFUSED', 1],
    [5, 'CONTENT_FILTERED', 1],
    [7, 'INVALID_REQUEST', 1],
  ]);
  expect(batch.errorSummary.map(({ code, count }) => [code, count]).sort()).toEqual([
    ['CONTENT_FILTERED', 1],
    ['INVALID_REQUEST', 1],
    ['REFUSED', 1],
  ]);
});

test('a wrong category and JSON that is none are asked again, at most twice', async () => {
  const { faults } = app.sandbox;
  faults.add({ fault: { kind: 'wrong_category' }, when: repairing('text 1', 0) });
  faults.add({ fault: { kind: 'invalid_json' }, when: repairing('text 2', 1) });
  faults.add({ fault: { kind: 'wrong_category' }, when: repairing('text 3', 2) });

  const id = await submit(app, texts(10));
  await untilEnded(app, id);
  const items = await readItems(app, id);

  const shown = items
    .slice(1, 4)
    .map(({ status, error, attempts }) => [status, error?.code, attempts]);
  expect(shown).toEqual([
    ['SUCCEEDED', undefined, 2],
    ['SUCCEEDED', undefined, 3],
    ['FAILED', 'INVALID_OUTPUT', 3],
  ]);
});

/**
 * Requests about a text that have been repaired at most `upTo` times, as far as their messages
 * tell.
 */
function repairing(text: string, upTo: number) {
  let seen = 0;
  return ({ body }: { body: unknown }) => {
    const { messages } = body as { messages: { content: string }[] };
    if (!messages.some(({ content }) => content === text)) return false;
    seen += 1;
    return seen <= upTo + 1;
  };
}

test('a truncated answer is asked once more with a doubled limit, then the item fails', async () => {
  const { faults } = app.sandbox;
  faults.add({ fault: { kind: 'truncated' }, when: about(1), times: 1 });
  faults.add({ fault: { kind: 'truncated' }, when: about(2) });

  const id = await submit(app, texts(5), {
    operation: { label: { categories: ['praise', 'complaint'], maxOutputTokens: 60 } },
  });
  await untilEnded(app, id);
  const items = await readItems(app, id);

  expect(items.map(({ status, error, attempts }) => [status, error?.code, attempts])).toEqual([
    ['SUCCEEDED', undefined, 1],
    ['SUCCEEDED', undefined, 2],
    ['FAILED', 'TRUNCATED', 2],
    ['SUCCEEDED', undefined, 1],
    ['SUCCEEDED', undefined, 1],
  ]);
  const limits = app.sandbox.requests.journal
    .map(({ body }) => body as { max_tokens: number; messages: { content: string }[] })
    .filter(({ messages }) => messages.some(({ content }) => content === 'text 2'))
    .map((body) => body.max_tokens);
  expect(limits).toEqual([60, 120]);
});

for (const [what, fault, errorCode] of [
  ['a used-up quota', { status: 429, code: 'insufficient_quota' }, 'QUOTA_EXHAUSTED'],
  ['a refused key', { status: 401, code: 'invalid_api_key' }, 'INVALID_KEY'],
  ['an unknown model', { status: 404, code: 'model_not_found' }, 'UNKNOWN_MODEL'],
] as const) {
  test(`${what} stops the batch with ${errorCode}: no item fails by it, and few calls are made more`, async () => {
    const { faults, requests } = app.sandbox;
    faults.add({ fault: { kind: 'latency', ms: 5 } });
    faults.add({ fault: { kind: 'status', ...fault }, when: () => requests.count > 150 });

    const id = await submit(app, texts(600));
    const events = await followProgress(app.socket(), id);
    const batch = await untilEnded(app, id);
    const items = await readItems(app, id);

    expect(batch).toMatchObject({ status: 'FAILED', errorCode, errorSummary: [] });
    expect(batch.error).toBeTruthy();
    expect(batch.completedAt).not.toBeNull();
    expect(batch.counts).toMatchObject({ failed: 0, processing: 0, cancelled: 0 });
    expect(batch.counts.succeeded).toBeGreaterThan(100);
    expect(sumOf(batch.counts)).toBe(600);
    // The last event is the end: nothing is recorded after it.
    expect(events.at(-1)).toEqual(batch);
    expect(events.filter(hasEnded)).toHaveLength(1);
    for (const { status, errorCode: early } of events.slice(0, -1)) {
      expect([status, early]).not.toContain(errorCode);
    }
    const unfinished = items.filter(({ status }) => status !== 'SUCCEEDED');
    expect(unfinished).toHaveLength(batch.counts.pending);
    expect(new Set(unfinished.map(({ status }) => status))).toEqual(new Set(['PENDING']));
    expect(app.sandbox.requests.count - 150).toBeLessThanOrEqual(2 * concurrency);
    expect(Math.max(...timesAsked(app.sandbox).values())).toBe(1);
  });
}

test('a provider that fails every call burns no item: the batch asks once in a while, and goes on when it is back', async () => {
  const { faults, requests } = app.sandbox;
  faults.add({ fault: { kind: 'status', status: 503 } });

  const id = await submit(app, texts(100));
  await app.sandbox.until(({ requests: { answered } }) => answered >= 10);
  const asked = requests.count;
  const waiting = await until<Waiting | null>(() => waitingOf(id), {
    deadlineMs: 5_000,
    what: 'a word on why',
  });
  const batch = await readBatch(app, id);
  faults.clear();
  const ended = await untilEnded(app, id, 30_000);

  // What was under way, and no more: nobody hammers a provider that is down.
  expect(asked).toBeLessThanOrEqual(2 * concurrency);
  expect(batch).toMatchObject({ status: 'PROCESSING', counts: { failed: 0, succeeded: 0 } });
  expect(waiting?.reason).toContain('503');
  expect(Date.parse(waiting?.until ?? '')).toBeGreaterThan(Date.parse(waiting?.since ?? ''));
  expect(ended.counts).toMatchObject({ succeeded: 100, failed: 0 });
  expect(await waitingOf(id)).toBeNull();
});

interface Waiting {
  reason: string;
  since: string;
  until: string;
}

async function waitingOf(id: string): Promise<Waiting | null> {
  const { batch } = await ask<{ batch: { waiting: Waiting | null } }>(
    app,
    'query($id: ID!) { batch(id: $id) { waiting { reason since until } } }',
    { id },
  );
  return batch.waiting;
}

test('an answer that the database cannot hold fails its item alone', async () => {
  app.sandbox.faults.add({
    fault: { kind: 'refusal', message: 'no\u0000pe \ud800' },
    when: about(7),
  });

  const id = await submit(app, texts(40));
  const batch = await untilEnded(app, id);
  const items = await readItems(app, id);

  expect(batch.counts).toMatchObject({ succeeded: 39, failed: 1 });
  expect(items[7]).toMatchObject({ status: 'FAILED', content: 'text 7' });
});

test('a template field that most items lack fails those items without a call', async () => {
  const items = Array.from({ length: 300 }, (_, index) => ({
    content: `text ${index}`,
    metadata: index === 0 ? { city: 'Rome' } : {},
  }));

  const id = await submit(app, [], {
    operation: { run: { instructions: 'Say it', userPromptTemplate: '{city}: {content}' } },
    source: { items },
  });
  const batch = await untilEnded(app, id);

  expect(batch.counts).toMatchObject({ succeeded: 1, failed: 299 });
  expect(batch.errorSummary).toMatchObject([{ code: 'TEMPLATE_FIELD_MISSING', count: 299 }]);
  expect(app.sandbox.requests.count).toBe(1);
});

test('a batch whose items wait for a closed gate does not hold up a batch of another model', async () => {
  app.sandbox.faults.add({
    fault: { kind: 'rate_limited', retryAfter: '300' },
    when: ({ text }) => text.startsWith('text'),
  });
  const waiting = await submit(app, texts(20));
  await app.sandbox.until(({ requests }) => requests.answered > 0);

  const other = await submit(app, ['one', 'two'], {
    operation: { label: { categories: ['a', 'b'], model: 'sandbox/rules' } },
  });
  await untilEnded(app, other);

  await app.first('batch.started', { batch: waiting });
  expect((await readBatch(app, waiting)).status).toBe('PROCESSING');
});
