/**
 * A database that is away while the server runs: a code, a status and a time to come back, and a
 * line that says whose request it was.
 */
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Events,
  post,
  type RawAnswer,
  request,
  submitTexts,
  subscribe,
  subscribeSse,
} from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createLogTo, type Line } from '../support/logged.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import { withoutTable } from '../support/without-table.ts';
import { closedPort } from '../webhooks/support.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const anna = { authorization: `Bearer ${annaKey}` };
const someBatch = `batch_${'0'.repeat(25)}`;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const { logTo, lines } = createLogTo();
/** Lines of the whole file. */
const toldLines: Line[] = [];
let database: TestDatabase;
let proxy: TcpProxy;
let app: App;
/** Begun before the database goes, on both roads. */
let watching: Events[];
beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startProxy(Number(new URL(database.url).port));
  app = await startApp(
    { API_KEYS: `anna:${annaKey}`, ROLE: 'api', LOG_LEVEL: 'info' },
    { databaseUrl: proxy.through(database.url), logTo },
  );
});
afterAll(async () => {
  await proxy.close();
  await app.stop();
  await database.drop();
});
beforeEach(() => {
  toldLines.push(...lines.splice(0));
});

function expectAway(answer: RawAnswer): void {
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('2');
  expect(answer.text).toContain('"code":"DATABASE_UNAVAILABLE"');
  expect(answer.text).not.toMatch(/ECONN|127\.0\.0\.1:\d|select|postgres\.js|\.ts:/);
}

it('an id that came is sent back, and one that could do harm, or none, is replaced', async () => {
  const ask = async (id?: string, path = '/graphql?query={__typename}') =>
    (
      await request(`${app.url}${path}`, {
        headers: { ...anna, ...(id ? { 'x-request-id': id } : {}) },
      })
    ).headers.get('x-request-id');

  expect(await ask('Trace_1-2.3')).toBe('Trace_1-2.3');
  expect(await ask('of-a-route', '/health')).toBe('of-a-route');
  expect(await ask('of-nothing', '/nothing')).toBe('of-nothing');
  for (const bad of [undefined, 'a b', 'a"b', '{"a":1}', 'é', 'x'.repeat(129)]) {
    expect(await ask(bad)).toMatch(uuid);
  }
  expect(await ask()).not.toBe(await ask());
});

describe('while the database is away', () => {
  beforeAll(async () => {
    const first = await submitTexts(app, ['x'], { name: 'first', headers: anna });
    const query = 'subscription { batchesChanged(snapshot: 1) { name } }';
    watching = [
      subscribeSse(app, query, {}, anna),
      subscribe(app.socket({ Authorization: `Bearer ${annaKey}` }), query),
    ];
    for (const { all } of watching) {
      await until(() => all.length > 0, { deadlineMs: 10_000, what: `the batch ${first}` });
    }
    proxy.target(await closedPort());
    proxy.weather({ resets: () => true });
  });
  afterAll(() => {
    proxy.weather({});
    proxy.target(Number(new URL(database.url).port));
  });

  it('GraphQL says so with its code, its status and when to come back, and the log whose request it was', async () => {
    const answer = await post(
      app,
      { query: `query WhatIsIt { service { version } one: batch(id: "${someBatch}") { id } }` },
      { ...anna, 'x-request-id': 'asked-1' },
    );

    expectAway(answer);
    expect(answer.headers.get('x-request-id')).toBe('asked-1');
    expect(answer.body.data).toMatchObject({ service: { version: expect.any(String) }, one: null });
    const line = lines.find(({ requestId }) => requestId === 'asked-1');
    expect(line).toMatchObject({
      operationName: 'WhatIsIt',
      path: 'one',
      owner: 'anna',
      level: 40,
    });
    expect(JSON.stringify(line)).not.toContain('stack');
  });

  it('mutations and uploads say the same', async () => {
    const mutation = await post(
      app,
      { query: `mutation { cancelBatch(id: "${someBatch}") { batch { id } } }` },
      anna,
    );
    const upload = await request(`${app.url}/files?name=a.txt`, {
      method: 'POST',
      headers: { ...anna, 'x-request-id': 'asked-2' },
      body: 'one\ntwo\n',
    });
    const output = await request(`${app.url}/batches/${someBatch}/output`, { headers: anna });

    for (const answer of [mutation, upload, output]) expectAway(answer);
    expect(lines.find(({ requestId }) => requestId === 'asked-2')).toMatchObject({
      path: '/files',
      owner: 'anna',
      level: 40,
    });
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  });

  it('a synchronous mutation and a live call are refused before a model is called', async () => {
    const { count } = app.sandbox.requests;
    const label = await post(
      app,
      {
        query:
          'mutation { label(items: [{content: "x"}], options: {categories: ["a", "b"]}) { results { label } } }',
      },
      anna,
    );
    const live = (path: string) =>
      request(`${app.url}/v1/${path}`, {
        method: 'POST',
        headers: { ...anna, 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'test/rules',
          max_tokens: 5,
          messages: [{ role: 'user', content: 'x' }],
        }),
      });
    const [chat, messages] = [await live('chat/completions'), await live('messages')];

    expectAway(label);
    expect([chat.status, messages.status]).toEqual([503, 529]);
    for (const answer of [chat, messages]) {
      expect(answer.headers.get('retry-after')).toBe('2');
      expect(answer.text).toContain('The database does not answer');
    }
    expect(app.sandbox.requests.count).toBe(count);
  });

  it('subscriptions say the same on both roads', async () => {
    const query = `subscription Watch { batchProgress(id: "${someBatch}") { id } }`;
    const sse = subscribeSse(app, query, {}, anna);
    const socket = subscribe(app.socket({ Authorization: `Bearer ${annaKey}` }), query);

    await Promise.all([sse.ended(), socket.ended()]);

    for (const { errors } of [sse, socket]) {
      expect(errors.map(({ extensions }) => extensions)).toMatchObject([
        { code: 'DATABASE_UNAVAILABLE', requestId: expect.any(String) },
      ]);
    }
    const told = lines.filter(({ operationName }) => operationName === 'Watch');
    expect(told.map(({ owner }) => owner)).toEqual(['anna', 'anna']);
  });

  it('the health says so, and when to come back', async () => {
    const answer = await request(`${app.url}/health`);

    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('the log tells once that it is away, and of a few requests without a stack', async () => {
    const allLines = () => [...toldLines, ...lines];
    const away = () => allLines().filter(({ msg }) => msg.startsWith('the database is away'));
    await until(() => away().length > 0, { deadlineMs: 10_000, what: 'the line' });
    for (let asked = 0; asked < 30; asked += 1) {
      await post(app, { query: '{ batches { totalCount } }' }, anna);
    }

    expect(away()).toMatchObject([{ level: 40, reason: expect.stringMatching(/^[A-Z]/) }]);
    const ofRequests = lines.filter(({ msg }) => msg === 'the database failed a request');
    expect(ofRequests.length).toBeLessThanOrEqual(10);
    expect(JSON.stringify(allLines())).not.toMatch(/"stack"/);
  });
});

it('once it is back everything is answered again', async () => {
  await until(
    async () =>
      (await post(app, { query: '{ batches { totalCount } }' }, anna)).body.data?.batches
        .totalCount === 1,
    { deadlineMs: 10_000, what: 'an answer' },
  );

  expect((await request(`${app.url}/health`)).status).toBe(200);
  expect(lines.filter(({ msg }) => msg === 'the database answers again')).toMatchObject([
    { level: 30, failed: expect.any(Number), afterMs: expect.any(Number) },
  ]);
});

it('subscriptions that stood before it went go on', async () => {
  await submitTexts(app, ['x'], { name: 'second', headers: anna });

  for (const { all, done, errors, stop } of watching) {
    await until(() => all.some(({ batchesChanged }) => batchesChanged.name === 'second'), {
      deadlineMs: 15_000,
      what: 'the second batch',
    });
    expect([done, errors]).toEqual([false, []]);
    stop();
  }
});

it('an upload whose connection to the database breaks in the middle is told to come again', async () => {
  const sql = postgres(database.url, { max: 1 });
  const backends = () =>
    sql`select pid from pg_stat_activity
        where query like 'copy %' and state = 'active' and datname = current_database()`;
  let finish = () => undefined as unknown;
  const body = new ReadableStream({
    start(controller) {
      const row = new TextEncoder().encode(`${'x'.repeat(1_000)}\n`);
      for (let rows = 0; rows < 3_000; rows += 1) controller.enqueue(row);
      finish = () => controller.close();
    },
  });
  const answered = request(`${app.url}/files?name=a.txt`, {
    method: 'POST',
    headers: anna,
    body,
    duplex: 'half',
  } as RequestInit);
  await until(async () => (await backends()).length > 0, { deadlineMs: 10_000, what: 'a COPY' });

  for (const { pid } of await backends()) await sql`select pg_terminate_backend(${pid})`;
  finish();

  const answer = await answered;
  expectAway(answer);
  expect(answer.text).toContain('may have been done: with an idempotencyKey it is safe to repeat');
  await sql.end();
});

it('what nobody foresaw names the request, to the client and in the log', async () => {
  await withoutTable(database.url, 'files', async () => {
    const graphql = await post(
      app,
      { query: 'query Broken { files { edges { node { id } } } }' },
      { ...anna, 'x-request-id': 'asked-3' },
    );
    const route = await request(`${app.url}/files?name=a.txt`, {
      method: 'POST',
      headers: { ...anna, 'x-request-id': 'asked-4' },
      body: 'one\n',
    });

    expect(graphql.body.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/^Internal error\. .*asked-3/),
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
    expect(route.status).toBe(500);
    expect(route.text).toMatch(/Internal error\. .*asked-4/);
    expect(lines.find(({ requestId }) => requestId === 'asked-3')).toMatchObject({
      operationName: 'Broken',
      path: 'files',
      owner: 'anna',
      level: 50,
    });
    expect(lines.find(({ requestId }) => requestId === 'asked-4')).toMatchObject({
      path: '/files',
      owner: 'anna',
      level: 50,
    });
  });
});
