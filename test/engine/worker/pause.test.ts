/** A paused batch sends nothing new, records what was under way, and goes on where it stopped. */
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import {
  answerFirst,
  completion,
  type StubProvider,
  type StubRequest,
} from '../../support/stub-provider.ts';
import {
  ask,
  cancel,
  followProgress,
  readBatch,
  readItems,
  submit,
  textOf,
  texts,
  untilBatch,
  untilEnded,
} from './support.ts';

const concurrency = 16;

let app: App;
let stub: StubProvider;
let sql: postgres.Sql;

beforeAll(async () => {
  ({ app, stub } = await startStubApp(() => ({ WORKER_CONCURRENCY: String(concurrency) })));
  sql = postgres(app.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
});
beforeEach(() => {
  stub.requests.length = 0;
});

interface Paused {
  status: string;
  expiresAt: string;
  pause: { reason: string; message: string; since: string; resumesAt: string | null } | null;
}

const fields = 'status expiresAt pause { reason message since resumesAt }';

async function pause(id: string): Promise<Paused> {
  const query = `mutation($id: ID!) { pauseBatch(id: $id) { batch { ${fields} } } }`;
  return (await ask<{ pauseBatch: { batch: Paused } }>(app, query, { id })).pauseBatch.batch;
}

async function resume(id: string): Promise<Paused> {
  const query = `mutation($id: ID!) { resumeBatch(id: $id) { batch { ${fields} } } }`;
  return (await ask<{ resumeBatch: { batch: Paused } }>(app, query, { id })).resumeBatch.batch;
}

const good = { body: completion('{"label":"praise","confidence":0.9}') };
const invalid = { body: completion('{"label":"elsewhere","confidence":0.9}') };

/** How often each text was asked about. */
function timesAsked(requests: readonly StubRequest[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { body } of requests) times.set(textOf(body), (times.get(textOf(body)) ?? 0) + 1);
  return times;
}

test('a paused batch sends nothing new, records what was under way, and gives the rest back', async () => {
  const { letGo } = answerFirst(stub, 60, good);
  const id = await submit(app, texts(300));
  const events = followProgress(app.socket(), id);
  await stub.received(60 + concurrency);

  const paused = await pause(id);
  const meanwhile = await untilBatch(app, id, ({ counts }) => counts.processing <= concurrency);
  letGo();
  const idle = await untilBatch(app, id, ({ counts }) => counts.processing === 0);
  await delay(600);

  expect(paused).toMatchObject({
    status: 'PAUSED',
    pause: { reason: 'REQUESTED', resumesAt: null },
  });
  expect(meanwhile).toMatchObject({ status: 'PAUSED', counts: { succeeded: 60, processing: 16 } });
  expect(idle).toMatchObject({ status: 'PAUSED', counts: { succeeded: 76, pending: 224 } });
  expect(stub.requests).toHaveLength(76);

  stub.reply(good);
  const resumed = await resume(id);
  const batch = await untilEnded(app, id);

  expect(resumed).toMatchObject({ status: 'PROCESSING', pause: null });
  expect(batch).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: 300 },
    resentRequests: 0,
  });
  expect([...timesAsked(stub.requests).values()]).toEqual(texts(300).map(() => 1));
  const statuses = (await events).map(({ status }) => status);
  expect(statuses).toContain('PAUSED');
  expect(statuses.at(-1)).toBe('COMPLETED');
});

test('a batch that is resumed while its calls go on sends the rest beside them', async () => {
  const held = 6;
  let letGo = () => undefined as unknown;
  const after = new Promise<void>((resolve) => {
    letGo = () => resolve();
  });
  let calls = 0;
  stub.reply(() => {
    calls += 1;
    return calls <= held ? { ...good, after } : { ...good, delayMs: 20 };
  });
  const id = await submit(app, texts(300));
  await app.recorded(id, 20);
  await pause(id);
  const paused = await untilBatch(app, id, ({ counts }) => counts.processing === held);

  await resume(id);
  const beside = await untilBatch(app, id, ({ counts }) => counts.succeeded === 300 - held);
  letGo();
  const batch = await untilEnded(app, id);

  expect(paused.counts.pending).toBeGreaterThan(0);
  expect(beside.counts.processing).toBe(held);
  expect(batch.counts.succeeded).toBe(300);
  expect([...timesAsked(stub.requests).values()]).toEqual(texts(300).map(() => 1));
});

test('an answer that needs a repair is given back, and asked again after the resume', async () => {
  const { letGo } = answerFirst(stub, 0, good, invalid);
  const id = await submit(app, texts(40));
  await stub.received(concurrency);
  await pause(id);
  await untilBatch(app, id, ({ counts }) => counts.processing === concurrency);
  letGo();

  const idle = await untilBatch(app, id, ({ counts }) => counts.processing === 0);
  await delay(600);
  expect(idle.counts).toMatchObject({ pending: 40, succeeded: 0 });
  expect(stub.requests).toHaveLength(concurrency);

  stub.reply(good);
  await resume(id);
  const batch = await untilEnded(app, id);
  expect(batch.counts.succeeded).toBe(40);
  expect(stub.requests).toHaveLength(40 + concurrency);
  expect(batch.usage.requests + batch.resentRequests).toBe(40 + concurrency);
});

test('a paused batch does not expire, and has its time anew when it goes on', async () => {
  answerFirst(stub, 0, good);
  const id = await submit(app, texts(5), { expiresInSeconds: 3_600 });
  await pause(id);
  await sql`update batches set expires_at = now() - interval '1 hour' where id = ${id}`;
  await delay(1_500);

  const late = await readBatch(app, id);
  stub.reply(good);
  const resumed = await resume(id);

  expect(late.status).toBe('PAUSED');
  expect(Date.parse(resumed.expiresAt)).toBeGreaterThan(Date.now() + 3_500_000);
  await cancel(app, id);
  await untilEnded(app, id);
});

test('a paused batch can be cancelled', async () => {
  const { letGo } = answerFirst(stub, 3, good);
  const id = await submit(app, texts(100));
  await app.recorded(id, 3);
  await pause(id);
  await cancel(app, id);
  const batch = await untilEnded(app, id);
  letGo();

  expect(batch).toMatchObject({ status: 'CANCELLED', counts: { succeeded: 3, cancelled: 97 } });
});

test('a retry leaves a paused batch paused; one of a batch that has ended is not', async () => {
  let calls = 0;
  const { letGo } = answerFirst(stub, 0, good);
  const never = new Promise<void>(() => {});
  stub.reply(() => {
    calls += 1;
    if (calls > 8) return { ...good, after: never };
    return { body: completion('{}', { finish: 'content_filter' }) };
  });
  const id = await submit(app, texts(30));
  await untilBatch(app, id, ({ counts }) => counts.failed === 8);
  await pause(id);
  const retry = 'mutation($id: ID!) { retryBatch(id: $id) { retriedItems batch { status } } }';
  const { retryBatch } = await ask<{ retryBatch: object }>(app, retry, { id });
  letGo();

  expect(retryBatch).toEqual({ retriedItems: 8, batch: { status: 'PAUSED' } });

  await cancel(app, id);
  await untilEnded(app, id);
  stub.reply(good);
  await ask(app, retry, { id });
  expect(await untilEnded(app, id)).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: 30 },
  });
  expect((await readItems(app, id)).every(({ status }) => status === 'SUCCEEDED')).toBe(true);
});

test('a key that is refused ends a paused batch as it ends others', async () => {
  const after = new Promise<void>((resolve) => setTimeout(resolve, 300));
  stub.reply({ status: 401, body: { error: { message: 'no', code: 'invalid_api_key' } }, after });
  const id = await submit(app, texts(40));
  await stub.received(1);
  await pause(id);

  const batch = await untilEnded(app, id);
  expect(batch).toMatchObject({ status: 'FAILED', errorCode: 'INVALID_KEY' });
});

test('a draft and a batch that has ended are returned as they are', async () => {
  stub.reply(good);
  const draft = await submit(app, ['a'], { autoStart: false });
  expect(await pause(draft)).toMatchObject({ status: 'DRAFT', pause: null });
  expect(await resume(draft)).toMatchObject({ status: 'DRAFT', pause: null });

  const ended = await submit(app, ['a']);
  await untilEnded(app, ended);
  expect(await pause(ended)).toMatchObject({ status: 'COMPLETED', pause: null });
  expect(await resume(ended)).toMatchObject({ status: 'COMPLETED', pause: null });
});

test('lists find paused batches by their status, and running ones without them', async () => {
  answerFirst(stub, 0, good);
  const id = await submit(app, texts(5), { name: 'found when paused' });
  const { since } = (await pause(id)).pause ?? {};
  const again = await pause(id);
  const query = `query($status: [BatchStatus!]) {
    batches(filter: { name: "found when paused", status: $status }) { totalCount edges { node { id } } } }`;
  const found = async (status: string[]) =>
    (await ask<{ batches: { totalCount: number } }>(app, query, { status })).batches.totalCount;

  expect(again.pause?.since).toBe(since);
  expect([await found(['PAUSED']), await found(['QUEUED', 'PROCESSING'])]).toEqual([1, 0]);
  await resume(id);
  expect([await found(['PAUSED']), await found(['QUEUED', 'PROCESSING'])]).toEqual([0, 1]);
  await cancel(app, id);
});
