/** The pace of a batch and its time left: of the time in which it ran, unknown while it rests. */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { answerFirst, completion, type StubProvider } from '../../support/stub-provider.ts';
import { ask, submit, texts, untilBatch, untilEnded } from './support.ts';

const items = 40;
/** An hour in which nothing was sent would leave this pace at the most. */
const mostWithIdle = items / 3_600;
const good = { body: completion('{"label":"praise","confidence":0.9}') };
const refusal = { status: 400, body: { error: { message: 'not this one' } } };

let app: App;
let stub: StubProvider;
let sql: postgres.Sql;

beforeAll(async () => {
  ({ app, stub } = await startStubApp(() => ({ WORKER_CONCURRENCY: '4' })));
  sql = postgres(app.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
});

test('an hour in which it was paused is none of its pace, and its time left is unknown then', async () => {
  const { letGo } = answerFirst(stub, 20, good);
  const id = await submit(app, texts(items));
  await app.recorded(id, 20);
  await ask(app, 'mutation($id: ID!) { pauseBatch(id: $id) { batch { id } } }', { id });
  letGo();
  await untilBatch(app, id, ({ counts }) => counts.processing === 0);
  const paused = await paceOf(id);
  await passAnHour(id);
  stub.reply(good);
  await ask(app, 'mutation($id: ID!) { resumeBatch(id: $id) { batch { id } } }', { id });
  await untilEnded(app, id);
  const ended = await paceOf(id);

  expect(paused).toEqual({ itemsPerSecond: null, estimatedCompletionAt: null });
  expect(ended.itemsPerSecond).toBeGreaterThan(10 * mostWithIdle);
  expect(await idleSecondsOf(id)).toBeGreaterThanOrEqual(3_600);
});

test('a batch that goes on has the pace of before, and not that of the pause', async () => {
  const first = answerFirst(stub, 20, good);
  const id = await submit(app, texts(items));
  await app.recorded(id, 20);
  await ask(app, 'mutation($id: ID!) { pauseBatch(id: $id) { batch { id } } }', { id });
  first.letGo();
  await untilBatch(app, id, ({ counts }) => counts.processing === 0);
  await passAnHour(id);
  const { letGo } = answerFirst(stub, 0, good);
  await ask(app, 'mutation($id: ID!) { resumeBatch(id: $id) { batch { id } } }', { id });
  const going = await paceOf(id);
  letGo();
  await untilEnded(app, id);

  // A rate that had decayed for an hour would be 1e-156.
  expect(going.itemsPerSecond).toBeGreaterThan(mostWithIdle);
  expect(going.estimatedCompletionAt).not.toBeNull();
});

test('an hour between its end and a retry is none of its pace', async () => {
  let calls = 0;
  stub.reply(() => {
    calls += 1;
    return calls % 2 ? good : refusal;
  });
  const id = await submit(app, texts(items));
  await untilEnded(app, id);
  await passAnHour(id);
  stub.reply(good);
  await ask(app, 'mutation($id: ID!) { retryBatch(id: $id) { batch { id } } }', { id });
  const ended = await untilEnded(app, id);

  expect(ended.counts.succeeded).toBe(items);
  expect((await paceOf(id)).itemsPerSecond).toBeGreaterThan(10 * mostWithIdle);
  expect(await idleSecondsOf(id)).toBeGreaterThanOrEqual(3_600);
});

test('a pause that 0.2.0 left behind at a retry takes nothing from its pace', async () => {
  stub.reply(good);
  const id = await submit(app, texts(items));
  await untilEnded(app, id);
  await sql`
    update batches set started_at = completed_at - interval '1 minute',
      paused_since = completed_at - interval '1 minute'
    where id = ${id}`;

  expect((await paceOf(id)).itemsPerSecond).toBeCloseTo(items / 60);
});

test('the time left is unknown while a preview runs, and while it waits for somebody', async () => {
  const { letGo } = answerFirst(stub, 5, good);
  const id = await submit(app, texts(items), { preview: 10 });
  await app.recorded(id, 5);
  const running = await paceOf(id);
  letGo();
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');

  expect(running.itemsPerSecond).toBeGreaterThan(0);
  expect(running.estimatedCompletionAt).toBeNull();
  expect(await paceOf(id)).toEqual({ itemsPerSecond: null, estimatedCompletionAt: null });
});

/** Moves all that the batch has gone through into the past, as if an hour passed. */
async function passAnHour(id: string): Promise<void> {
  await sql`
    update batches set created_at = created_at - interval '1 hour', started_at = started_at - interval '1 hour',
      completed_at = completed_at - interval '1 hour', paused_since = paused_since - interval '1 hour',
      rate_at = rate_at - interval '1 hour'
    where id = ${id}`;
}

async function idleSecondsOf(id: string): Promise<number> {
  const [batch] = await sql`select idle_seconds from batches where id = ${id}`;
  return batch?.idle_seconds;
}

interface Pace {
  itemsPerSecond: number | null;
  estimatedCompletionAt: string | null;
}

async function paceOf(id: string): Promise<Pace> {
  const query = 'query($id: ID!) { batch(id: $id) { itemsPerSecond estimatedCompletionAt } }';
  return (await ask<{ batch: Pace }>(app, query, { id })).batch;
}
