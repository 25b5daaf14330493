import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import {
  type BatchView,
  cancel,
  followProgress,
  followResults,
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
  app = await startApp({ WORKER_CONCURRENCY: String(concurrency) });
});
afterAll(() => app.stop());
beforeEach(() => {
  app.sandbox.faults.clear();
  app.sandbox.requests.clear();
  app.sandbox.requests.keep(5_000);
});

test('a batch of 500 items is answered whole, in order, each item asked once, and its usage adds up', async () => {
  const id = await submit(app, texts(500));

  const batch = await untilEnded(app, id);
  const items = await readItems(app, id);

  expect(batch).toMatchObject({
    status: 'COMPLETED',
    progress: 1,
    counts: { total: 500, succeeded: 500, pending: 0, processing: 0, failed: 0 },
    resentRequests: 0,
    error: null,
    errorSummary: [],
  });
  expect(items.map(({ index, content }) => [index, content])).toEqual(
    texts(500).map((text, index) => [index, text]),
  );
  for (const { status, output, attempts } of items) {
    expect([status, attempts]).toEqual(['SUCCEEDED', 1]);
    expect(['praise', 'complaint']).toContain(output?.label);
  }
  for (const field of ['requests', 'inputTokens', 'outputTokens'] as const) {
    expect(batch.usage[field]).toBe(
      items.reduce((sum, { usage }) => sum + (usage?.[field] ?? 0), 0),
    );
  }
  const asked = timesAsked(app.sandbox);
  expect([...asked.keys()].sort()).toEqual(texts(500).sort());
  expect(new Set(asked.values())).toEqual(new Set([1]));
});

test('no more calls are under way than the concurrency, and as many as that', async () => {
  app.sandbox.faults.add({ fault: { kind: 'latency', ms: 20 } });
  let most = 0;
  const watching = app.sandbox.until(({ inFlight, requests }) => {
    most = Math.max(most, inFlight);
    return requests.answered >= 300;
  });

  const id = await submit(app, texts(300));
  await watching;
  await untilEnded(app, id);

  expect(most).toBe(concurrency);
});

test('ten items behind a long batch have their turn, and so has a batch of the same size', async () => {
  app.sandbox.faults.add({ fault: { kind: 'latency', ms: 20 } });
  const long = await submit(app, texts(2_000));
  await app.recorded(long, 51);

  const short = await submit(app, texts(10));
  await untilEnded(app, short);
  const longThen = await readBatch(app, long);
  const second = await submit(app, texts(300));
  await untilEnded(app, second);
  const longLater = await readBatch(app, long);

  expect(longThen.counts.succeeded).toBeLessThan(500);
  expect(longLater.status).toBe('PROCESSING');
  const meanwhile = longLater.counts.succeeded - longThen.counts.succeeded;
  expect(meanwhile).toBeGreaterThan(100);
  expect(meanwhile).toBeLessThan(900);
  await cancel(app, long);
  await untilEnded(app, long);
});

test('progress begins with the present, only grows, adds up at every event, and ends with the end', async () => {
  app.sandbox.faults.add({ fault: { kind: 'latency', ms: 10 } });
  const id = await submit(app, texts(400));
  await app.recorded(id, 21);

  const events = await followProgress(app.socket(), id);

  const [first] = events as [BatchView];
  expect(first.counts.succeeded).toBeGreaterThan(0);
  expect(hasEnded(first)).toBe(false);
  expect(events.at(-1)).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 400 } });
  expect(events.filter(hasEnded)).toHaveLength(1);
  expect(events.length).toBeGreaterThan(2);
  let before = 0;
  for (const { counts, progress } of events) {
    expect(sumOf(counts)).toBe(counts.total);
    expect(progress).toBeGreaterThanOrEqual(before);
    before = progress;
  }
});

test('results are told once each, also to who comes late, and then the stream ends', async () => {
  app.sandbox.faults.add({ fault: { kind: 'latency', ms: 5 } });
  const id = await submit(app, texts(400));
  const early = followResults(app.socket(), id);
  await app.recorded(id, 101);

  const told = await Promise.all([early, followResults(app.socket(), id)]);
  const after = await followResults(app.socket(), id);

  for (const indexes of [...told, after]) {
    expect(indexes).toHaveLength(400);
    expect(new Set(indexes).size).toBe(400);
  }
});

test('counts add up in every answer while a batch runs', async () => {
  app.sandbox.faults.add({ fault: { kind: 'latency', ms: 3 } });
  const id = await submit(app, texts(600));

  const states = [];
  do states.push(await readBatch(app, id));
  while (!hasEnded(states.at(-1) as BatchView));

  expect(states.length).toBeGreaterThan(10);
  expect(states.some(({ counts }) => counts.processing > 0)).toBe(true);
  for (const { counts } of states) expect(sumOf(counts)).toBe(600);
});
