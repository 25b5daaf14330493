import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import {
  cancel,
  followProgress,
  followResults,
  readItems,
  submit,
  sumOf,
  texts,
  untilBatch,
  untilEnded,
} from './support.ts';

const concurrency = 16;

let app: App;
/** A server on the same database that works on nothing. */
let api: App;

beforeAll(async () => {
  app = await startApp({ WORKER_CONCURRENCY: String(concurrency) });
  api = await startApp({ ROLE: 'api' });
});
afterAll(() => Promise.all([app.stop(), api.stop()]));
beforeEach(() => {
  app.sandbox.faults.clear();
  app.sandbox.requests.clear();
  app.sandbox.requests.keep(5_000);
});

function asked(): number {
  return app.sandbox.requests.count;
}

test('a cancel stops calls, aborts those in flight, and keeps what is finished', async () => {
  app.sandbox.faults.add({ fault: { kind: 'latency', ms: 10 }, times: 60 });
  app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' }, when: () => asked() > 60 });
  const id = await submit(app, texts(300));
  const events = followProgress(app.socket(), id);
  const results = followResults(app.socket(), id);
  await app.recorded(id, 60);
  await app.sandbox.until(({ inFlight }) => inFlight === concurrency);

  const accepted = await cancel(app, id);
  const acknowledged = Date.now();
  const batch = await untilEnded(app, id);
  await app.sandbox.until(({ inFlight }) => inFlight === 0);
  const items = await readItems(app, id);

  expect(['CANCELLING', 'CANCELLED']).toContain(accepted.status);
  expect(accepted.cancelInitiatedAt).not.toBeNull();
  expect(batch).toMatchObject({ status: 'CANCELLED', resentRequests: 0, error: null });
  expect(batch.counts).toMatchObject({ succeeded: 60, cancelled: 240 });
  const { journal, aborted } = app.sandbox.requests;
  expect(journal.filter(({ at }) => at > acknowledged + 1_000)).toEqual([]);
  expect(aborted).toBe(concurrency);
  const finished = items.filter(({ status }) => status === 'SUCCEEDED');
  expect(finished).toHaveLength(batch.counts.succeeded);
  for (const { output } of finished) expect(output?.label).toBeTruthy();
  expect(items.filter(({ status }) => status === 'CANCELLED')).toHaveLength(batch.counts.cancelled);
  expect((await events).at(-1)).toEqual(batch);
  expect((await results).sort((a, b) => a - b)).toEqual(finished.map(({ index }) => index));
});

test('answers that came in before the cancel are recorded', async () => {
  app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' }, when: () => asked() > 5 });
  const id = await submit(app, texts(50));
  await app.sandbox.until(({ requests }) => requests.answered === 5);

  await cancel(app, id);
  const batch = await untilEnded(app, id);

  expect(batch.counts).toMatchObject({ succeeded: 5, cancelled: 45 });
});

test('items that wait for another try are cancelled without another call', async () => {
  const own = await startApp({ WORKER_CONCURRENCY: '8' });
  own.sandbox.faults.add({ fault: { kind: 'rate_limited', retryAfter: '30' } });
  const id = await submit(own, texts(50));
  await own.sandbox.until(({ requests }) => requests.answered > 0);

  await cancel(own, id);
  const batch = await untilEnded(own, id);
  const { count } = own.sandbox.requests;
  await own.stop();

  expect(batch).toMatchObject({ status: 'CANCELLED', counts: { cancelled: 50 } });
  expect(count).toBeLessThanOrEqual(8);
});

test('a cancel through a server without a worker reaches the worker elsewhere', async () => {
  const there = await startApp(
    { ROLE: 'api' },
    { databaseUrl: app.databaseUrl, sandbox: app.sandbox },
  );
  app.sandbox.faults.add({ fault: { kind: 'latency', ms: 50 } });
  const id = await submit(there, texts(600));
  const events = followProgress(there.socket(), id);
  await untilBatch(there, id, ({ counts }) => counts.succeeded > 20);

  await cancel(there, id);
  const acknowledged = Date.now();
  const batch = await untilEnded(there, id);
  const last = (await events).at(-1);
  await there.stop();

  expect(batch.status).toBe('CANCELLED');
  expect(sumOf(batch.counts)).toBe(600);
  expect(last).toEqual(batch);
  const { journal } = app.sandbox.requests;
  expect(journal.filter(({ at }) => at > acknowledged + 1_000)).toEqual([]);
});

test('a queued batch and a draft are cancelled at once where nobody works', async () => {
  const queued = await submit(api, texts(250));
  const draft = await submit(api, texts(3), { autoStart: false });

  const answers = [await cancel(api, queued), await cancel(api, draft)];

  expect(answers.map(({ status, counts }) => [status, counts.cancelled])).toEqual([
    ['CANCELLED', 250],
    ['CANCELLED', 3],
  ]);
});

test('a cancel that comes again, or after the end, changes nothing', async () => {
  const cancelled = await submit(api, texts(3));
  const first = await cancel(api, cancelled);
  const completed = await submit(app, texts(3));
  const end = await untilEnded(app, completed);

  expect(await cancel(api, cancelled)).toEqual(first);
  expect(await cancel(app, completed)).toEqual(end);
});

test('time that runs out expires what is unfinished, in a batch that runs and in a draft that nobody started', async () => {
  app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' }, when: () => asked() > 20 });

  const running = await submit(app, texts(150), { expiresInSeconds: 1 });
  const draft = await submit(api, texts(5), { autoStart: false, expiresInSeconds: 1 });
  const [batch, unstarted] = await Promise.all([untilEnded(app, running), untilEnded(api, draft)]);

  expect(batch).toMatchObject({
    status: 'EXPIRED',
    counts: { succeeded: 20, expired: 130, pending: 0, processing: 0 },
  });
  expect(unstarted).toMatchObject({ status: 'EXPIRED', counts: { expired: 5 } });
  await app.sandbox.until(({ inFlight }) => inFlight === 0);
});
