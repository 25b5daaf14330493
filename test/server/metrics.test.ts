/** Figures that agree with the database, in a format that Prometheus takes. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { promtool, readMetrics, type Sample, strangeFamilies, sumOf } from '../support/metrics.ts';
import { startProgram } from '../support/program.ts';
import { startStubProvider } from '../support/stub-provider.ts';
import { until } from '../support/until.ts';

const key = 'anna-key-0123456789abcdefgh';
const token = 'metrics-token-0123456789';
const deadlineMs = 30_000;

async function readText(url: string, headers = {}): Promise<string> {
  return await (await fetch(`${url}/metrics`, { headers })).text();
}

async function read(url: string): Promise<Sample[]> {
  return readMetrics(await readText(url));
}

const statusOf = async (url: string, headers = {}) =>
  (await fetch(`${url}/metrics`, { headers })).status;

describe('a batch of which some fail and some are asked again', () => {
  let app: App;
  let url: string;
  let text: string;
  let samples: Sample[];
  let batch: Record<string, any>;

  beforeAll(async () => {
    app = await startApp({
      METRICS_PORT: '0',
      // A folder that is there: its disk is told of.
      DATA_DIR: '.',
      PRICES: '{"test/rules": {"input": 1, "output": 2}}',
    });
    url = app.service.operatorUrl ?? '';
    app.sandbox.faults.add({
      fault: { kind: 'status', status: 400 },
      when: (request) => request.text.includes('refuse'),
    });
    app.sandbox.faults.add({ fault: { kind: 'invalid_json' }, times: 5 });
    const texts = Array.from({ length: 1_000 }, (_, at) => `${at < 10 ? 'refuse' : 'good'} ${at}`);
    const { data } = await app.graphql(
      `mutation($texts: [String!]!) { submitBatch(input: {
        operation: {label: {categories: ["good", "bad"]}}, source: {texts: $texts}
      }) { batch { id } } }`,
      { texts },
    );
    const id = data?.submitBatch.batch.id;
    await untilEnded(app, id);
    batch = (
      await app.graphql(
        `query($id: ID!) { batch(id: $id) {
          counts { succeeded failed cancelled expired }
          usage { requests inputTokens outputTokens costUsd unmeteredRequests }
        } }`,
        { id },
      )
    ).data?.batch;
    text = await readText(url);
    samples = readMetrics(text);
  });
  afterAll(() => app.stop());

  it('has as many items by status as its counts', () => {
    const items = (status: string) =>
      sumOf(samples, 'winnow_items_total', { operation: 'label', status, lane: 'live' });

    expect(batch.counts.failed).toBe(10);
    expect({
      succeeded: items('succeeded'),
      failed: items('failed'),
      cancelled: items('cancelled'),
      expired: items('expired'),
    }).toEqual(batch.counts);
  });

  it('has the calls, tokens and cost of its usage', () => {
    const model = { gen_ai_provider_name: 'test', gen_ai_request_model: 'rules' };
    const tokens = (type: string) =>
      sumOf(samples, 'gen_ai_client_token_usage_sum', { ...model, gen_ai_token_type: type });

    expect(batch.usage.requests).toBe(1_005);
    expect(sumOf(samples, 'gen_ai_client_operation_duration_seconds_count', model)).toBe(
      batch.usage.requests,
    );
    expect([tokens('input'), tokens('output')]).toEqual([
      batch.usage.inputTokens,
      batch.usage.outputTokens,
    ]);
    expect(sumOf(samples, 'winnow_model_cost_usd_total', { lane: 'live' })).toBeCloseTo(
      batch.usage.costUsd,
      9,
    );
    expect(sumOf(samples, 'winnow_model_retries_total', { model: 'rules' })).toBe(5);
    expect(sumOf(samples, 'winnow_model_unmetered_requests_total')).toBe(
      batch.usage.unmeteredRequests,
    );
  });

  it('is told with its duration, its flushes and its statements', () => {
    const ended = { operation: 'label', status: 'completed', lane: 'live' };
    expect(sumOf(samples, 'winnow_batch_duration_seconds_count', ended)).toBe(1);
    expect(sumOf(samples, 'winnow_flush_items_sum')).toBe(1_000);
    const flushes = { statement: 'recordResults' };
    expect(sumOf(samples, 'winnow_db_query_duration_seconds_count', flushes)).toBe(
      sumOf(samples, 'winnow_flush_items_count'),
    );
    expect(
      sumOf(samples, 'winnow_graphql_operation_duration_seconds_count', {
        operation_type: 'mutation',
        outcome: 'ok',
      }),
    ).toBe(1);
    expect(
      sumOf(samples, 'winnow_http_request_duration_seconds_count', {
        method: 'POST',
        route: '/graphql',
        status_code: '200',
      }),
    ).toBeGreaterThanOrEqual(2);
  });

  it('leaves a text that promtool has nothing to say of', () => {
    expect(strangeFamilies(text)).toEqual([]);
    // Where it is not installed, the rules above stand alone.
    expect(promtool(text) ?? '').toBe('');
  });

  it('has gauges of the database and of the process', async () => {
    await until(
      async () => sumOf(await read(url), 'winnow_batches', { status: 'completed' }) === 1,
      { deadlineMs, what: 'a look at the database' },
    );
    samples = await read(url);

    expect(sumOf(samples, 'winnow_items_waiting', { lane: 'live' })).toBe(0);
    expect(sumOf(samples, 'winnow_worker_slots')).toBe(64);
    expect(sumOf(samples, 'winnow_model_gate_open', { provider: 'test', reason: '' })).toBe(1);
    expect(sumOf(samples, 'winnow_db_connections', { state: 'open' })).toBeGreaterThan(0);
    expect(sumOf(samples, 'winnow_ready')).toBe(1);
    expect(sumOf(samples, 'winnow_storage_size_bytes')).toBeGreaterThan(
      sumOf(samples, 'winnow_storage_free_bytes'),
    );
    const info = samples.find(({ name }) => name === 'winnow_build_info');
    expect(info?.labels).toMatchObject({ role: 'all', node: process.versions.node });
    expect(info?.labels.postgres).toMatch(/^\d+/);
  });
});

describe('who is shown the metrics', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  const start = (env: Record<string, string>) =>
    startApp({ METRICS_PORT: '0', ...env }, { databaseUrl: database.url });

  it.each([
    ['an open server', {}, [200, 200], [200, 200]],
    ['a server with keys', { API_KEYS: `anna:${key}` }, [404, 404], [200, 200]],
    ['a token', { METRICS_TOKEN: token }, [401, 200], [401, 200]],
    ['keys and a token', { API_KEYS: `anna:${key}`, METRICS_TOKEN: token }, [401, 200], [401, 200]],
    ['METRICS=off', { METRICS: 'off' }, [404, 404], [404, 404]],
  ])('with %s', async (_what, env, main, own) => {
    const app = await start(env as Record<string, string>);
    const operatorUrl = app.service.operatorUrl ?? '';
    const right = { authorization: `Bearer ${token}` };

    const found = [
      [await statusOf(app.url), await statusOf(app.url, right)],
      [await statusOf(operatorUrl), await statusOf(operatorUrl, right)],
    ];
    const wrong = await statusOf(operatorUrl, { authorization: `Bearer ${key}` });
    await app.stop();

    expect(found).toEqual([main, own]);
    if (own[0] === 401) expect(wrong).toBe(401);
  });

  it('answers in the format of Prometheus', async () => {
    const app = await start({});
    const { headers } = await fetch(`${app.url}/metrics`);
    await app.stop();

    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });
});

it('counts refused requests and synchronous items, and names owners where that is wanted', async () => {
  const app = await startApp({
    METRICS_PORT: '0',
    API_KEYS: `anna:${key}`,
    METRICS_BY_OWNER: 'on',
  });
  const mutation =
    'mutation Now { label(items: [{content: "good"}], options: {categories: ["good", "bad"]}) { model } }';
  await app.graphql(mutation);
  await app.graphql(mutation, {}, { authorization: `Bearer ${key}` });

  const samples = await read(app.service.operatorUrl ?? '');
  await app.stop();

  expect(sumOf(samples, 'winnow_http_requests_refused_total', { reason: 'key', owner: '' })).toBe(
    1,
  );
  expect(
    sumOf(samples, 'winnow_items_total', { lane: 'sync', status: 'succeeded', owner: 'anna' }),
  ).toBe(1);
  expect(
    sumOf(samples, 'winnow_graphql_operation_duration_seconds_count', { operation_name: 'Now' }),
  ).toBe(1);
});

it('counts what it takes back of a worker that was killed', async () => {
  const provider = await startStubProvider();
  provider.reply({ fault: 'headers' }); // no answer, ever
  const database = await createTestDatabase();
  const env = {
    DATABASE_URL: database.url,
    PROVIDERS: JSON.stringify({ stub: { baseURL: provider.url, models: ['m'] } }),
    DEFAULT_MODEL: 'stub/m',
    WORKER_LEASE_MS: '2000',
    METRICS_PORT: '0',
  };
  const app = await startApp({ ...env, ROLE: 'api' }, { databaseUrl: database.url });
  const worker = startProgram({ ...env, ROLE: 'worker', HOST: '0.0.0.0' });
  await submitTexts(app, ['one', 'two', 'three']);
  await provider.received(3);
  const url = app.service.operatorUrl ?? '';

  worker.process.kill('SIGKILL');
  await worker.ended;
  await until(async () => sumOf(await read(url), 'winnow_chunks_reclaimed_total') > 0, {
    deadlineMs,
    what: 'a reclaim',
  });
  const samples = await read(url);
  await app.stop();
  await provider.close();
  await database.drop();

  expect(sumOf(samples, 'winnow_requests_resent_total')).toBe(3);
});

it('counts requests that cost too much, are too large, or come from another origin', async () => {
  const app = await startApp({ METRICS_PORT: '0' });
  const costly = `{ batches(first: 1000) { edges { node {
    items(first: 1000) { edges { node { index } } }
  } } } }`;
  const origin = 'https://elsewhere.example';
  const refused = async () => {
    const samples = await read(app.service.operatorUrl ?? '');
    return ['cost', 'size', 'origin'].map((reason) =>
      sumOf(samples, 'winnow_http_requests_refused_total', { reason }),
    );
  };

  await app.graphql(costly);
  await app.graphql(`{ ${'x '.repeat(20_000)} }`);
  const ofCost = await refused();
  await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"query": "{ __typename }", "variables": {"number": ${'1'.repeat(1_001)}}}`,
  });
  const ofSize = await refused();
  await fetch(`${app.url}/graphql`, { headers: { origin } });
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    origin,
  });
  socket.on('error', () => undefined); // as it ends before it was open
  await once(socket, 'unexpected-response');
  socket.terminate();
  const ofOrigin = await refused();
  await app.stop();

  expect([ofCost, ofSize, ofOrigin]).toEqual([
    [2, 0, 0],
    [2, 1, 0],
    [2, 1, 2],
  ]);
});

it('counts the bytes of uploads that are stored, and of no others', async () => {
  const app = await startApp({
    METRICS_PORT: '0',
    LIMITS: '{"*": {"storageBytes": 1000}}',
  });
  const send = (path: string, body: string | FormData, headers = {}) =>
    fetch(app.url + path, { method: 'POST', body, headers });
  const form = (text: string) => {
    const fields = new FormData();
    fields.set('purpose', 'batch');
    fields.set('file', new File([text], 'requests.jsonl'));
    return fields;
  };
  const line = `${JSON.stringify({
    custom_id: 'a',
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'test/rules', messages: [{ role: 'user', content: 'one' }] },
  })}\n`;
  const messages = JSON.stringify({
    requests: [
      {
        custom_id: 'a',
        params: { model: 'test/rules', max_tokens: 9, messages: [{ role: 'user', content: 'b' }] },
      },
    ],
  });

  const once = { 'anthropic-version': '2023-06-01', 'idempotency-key': 'once' };

  const statuses = [
    await send('/files?name=a.txt', 'a\nb\n'),
    await send('/files?name=a.txt', 'x'.repeat(2_000)),
    await send('/files?name=a.csv&contentField=no', 'a\nb\n'),
    await send('/v1/files', form(line)),
    await send('/v1/messages/batches', messages, once),
    await send('/v1/messages/batches', messages, once),
    await send('/v1/messages/batches', '{', { 'anthropic-version': '2023-06-01' }),
  ].map(({ status }) => status);
  const samples = await read(app.service.operatorUrl ?? '');
  await app.stop();

  expect(statuses).toEqual([201, 403, 400, 200, 200, 200, 400]);
  const bytes = (face: string) => sumOf(samples, 'winnow_upload_bytes_total', { face });
  expect(bytes('rest')).toBe(4);
  expect(bytes('openai')).toBe(line.length);
  expect(bytes('anthropic')).toBe(messages.length);
});

it('counts open sockets and subscriptions, down to none', async () => {
  const app = await startApp({ METRICS_PORT: '0' });
  const url = app.service.operatorUrl ?? '';
  const open = (samples: Sample[]) => [
    sumOf(samples, 'winnow_sockets'),
    sumOf(samples, 'winnow_graphql_subscriptions', { field: 'batchesChanged', transport: 'ws' }),
  ];
  const socket = app.socket();
  const end = socket.subscribe(
    { query: 'subscription { batchesChanged(snapshot: 1) { id } }' },
    { next: () => undefined, error: () => undefined, complete: () => undefined },
  );
  await until(async () => open(await read(url)).join() === '1,1', { deadlineMs, what: 'one open' });

  end();
  await socket.dispose();

  await until(async () => open(await read(url)).join() === '0,0', { deadlineMs, what: 'none' });
  await app.stop();
});
