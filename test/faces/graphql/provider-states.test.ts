/** How providers and workers do, over all processes, for those who run the server. */
import { afterEach, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import {
  completion,
  type StubProvider,
  type StubReply,
  startStubProvider,
} from '../../support/stub-provider.ts';
import { until } from '../../support/until.ts';
import type { Data } from './support.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function startStub(): Promise<StubProvider> {
  const stub = await startStubProvider();
  stops.push(stub.close);
  return stub;
}

async function start(
  stub: StubProvider,
  env: Record<string, string> = {},
  shared: { databaseUrl?: string } = {},
): Promise<App> {
  const app = await startApp(
    {
      PROVIDERS: JSON.stringify({ first: { baseURL: stub.url, models: ['listed', 'slow'] } }),
      DEFAULT_MODEL: 'first/listed',
      ...env,
    },
    shared,
  );
  stops.push(app.stop);
  return app;
}

const query = `{ service {
  providers { name up reason inFlight requestsPerMinute tokensPerMinute learned
    models { model up reason inFlight requestsPerMinute tokensPerMinute learned } }
  workers { id startedAt concurrency }
} }`;

async function read(app: App, headers = {}): Promise<Data> {
  const { data, errors } = await app.graphql(query, {}, headers);
  expect(errors).toBeUndefined();
  return data?.service;
}

async function provider(app: App, headers = {}): Promise<Data> {
  return (await read(app, headers)).providers[0];
}

/** One synchronous call with so many items, which fails where none is answered. */
async function call(app: App, options: Data = {}, { headers = {}, items = 1 } = {}) {
  const { errors } = await app.graphql(
    'mutation ($items: [ItemInput!]!, $options: RunOptions!) { run(items: $items, options: $options) { __typename } }',
    {
      items: Array.from({ length: items }, (_, index) => ({ content: `text ${index}` })),
      options: { instructions: 'Answer.', ...options },
    },
    headers,
  );
  return errors?.[0]?.extensions.code ?? 'ANSWERED';
}

/** Enough of them that all failed are an outage. */
const many = 20;

const answered = (headers: Record<string, string> = {}): StubReply => ({
  headers,
  body: completion('an answer'),
});
const limited = {
  'x-ratelimit-limit-requests': '600',
  'x-ratelimit-remaining-requests': '599',
  'x-ratelimit-reset-requests': '100ms',
  'x-ratelimit-limit-tokens': '900000000000',
  'x-ratelimit-remaining-tokens': '900000000000',
  'x-ratelimit-reset-tokens': '0s',
};

it('nothing is known before the first call, but what is configured, and who works', async () => {
  const stub = await startStub();
  const limits = { requestsPerMinute: 60, models: { slow: { tokensPerMinute: 1_000 } } };
  const app = await start(stub, {
    PROVIDERS: JSON.stringify({
      first: { baseURL: stub.url, models: ['listed', 'slow'], limits },
      second: { baseURL: stub.url },
    }),
    WORKER_CONCURRENCY: '7',
  });
  const { providers, workers } = await read(app);
  const unknown = { up: null, reason: null, inFlight: 0, learned: false, models: [] };
  const noLimits = { requestsPerMinute: null, tokensPerMinute: null };

  expect(providers).toEqual([
    { name: 'first', ...unknown, ...noLimits, requestsPerMinute: 60 },
    { name: 'second', ...unknown, ...noLimits },
    { name: 'sandbox', ...unknown, ...noLimits },
  ]);
  expect(workers).toEqual([
    { id: expect.stringMatching(/^worker_/), startedAt: expect.any(String), concurrency: 7 },
  ]);
  await call(app, { model: 'first/slow' });
  expect((await provider(app)).models).toMatchObject([
    { model: 'first/slow', requestsPerMinute: 60, tokensPerMinute: 1_000, learned: false },
  ]);
});

it('what headers say is learned, and calls are counted while they have no answer', async () => {
  const stub = await startStub();
  const app = await start(stub);
  stub.reply(answered(limited));
  await call(app);
  const learned = await provider(app);
  let answer: () => void = () => undefined;
  stub.reply({ ...answered(), after: new Promise((resolve) => (answer = resolve)) });
  const before = stub.requests.length;
  const calling = call(app, { model: 'first/slow' });
  await stub.received(before + 1);
  const underWay = await provider(app);
  answer();
  await calling;

  expect(learned).toMatchObject({ up: true, reason: null, inFlight: 0, requestsPerMinute: null });
  expect(learned.models).toEqual([
    {
      model: 'first/listed',
      up: true,
      reason: null,
      inFlight: 0,
      requestsPerMinute: 600,
      tokensPerMinute: 2_147_483_647,
      learned: true,
    },
  ]);
  expect(underWay).toMatchObject({
    inFlight: 1,
    models: [
      { model: 'first/listed', inFlight: 0 },
      { model: 'first/slow', inFlight: 1 },
    ],
  });
  expect((await provider(app)).inFlight).toBe(0);
});

it('a provider that fails every call is not up, and the reason says why', async () => {
  const stub = await startStub();
  const app = await start(stub);
  stub.reply({ status: 503, body: { error: { message: 'no room today' } } });
  expect(await call(app, {}, { items: many })).toBe('PROVIDER_UNAVAILABLE');
  const failing = await provider(app);

  expect(failing.reason).toContain('no room today');
  expect(failing.models).toMatchObject([{ model: 'first/listed', up: false }]);
  expect(failing.models[0].reason).toBe(failing.reason);
  stub.reply(answered());
  await call(app, { model: 'first/slow' });
  expect(await provider(app)).toMatchObject({
    up: true,
    models: [
      { model: 'first/listed', up: false },
      { up: true, reason: null },
    ],
  });
}, 30_000);

it('a process tells what others saw, with its heartbeat', async () => {
  const stub = await startStub();
  const works = await start(stub, { WORKER_LEASE_MS: '2000', WORKER_CONCURRENCY: '3' });
  const serves = await start(
    stub,
    { ROLE: 'api', WORKER_LEASE_MS: '2000' },
    { databaseUrl: works.databaseUrl },
  );
  stub.reply(answered(limited));
  await call(works);
  await call(serves, { model: 'first/slow' });
  // A lease as short as this may run out for a moment on a busy machine.
  for (const app of [works, serves]) {
    await until(
      async () => {
        const { providers, workers } = await read(app);
        const models: string[] = providers[0].models.map(({ model }: Data) => model);
        const concurrencies = workers.map(({ concurrency }: Data) => concurrency);
        return models.join() === 'first/listed,first/slow' && concurrencies.join() === '3';
      },
      { deadlineMs: 15_000, what: 'the heartbeats of both' },
    );
  }
});

it('nobody works where every process only serves', async () => {
  const app = await start(await startStub(), { ROLE: 'api' });

  expect((await read(app)).workers).toEqual([]);
});

it('models that one owner knows are not told to another, nor what the key is', async () => {
  const keys = { anna: 'anna-key-0123456789abcdefgh', ben: 'ben-key-0123456789abcdefghij' };
  const byAnna = { authorization: `Bearer ${keys.anna}` };
  const byBen = { authorization: `Bearer ${keys.ben}` };
  const stub = await startStub();
  const app = await start(stub, {
    API_KEYS: `anna:${keys.anna},ben:${keys.ben}`,
    MINE: 'key-of-the-provider-12345',
    PROVIDERS: JSON.stringify({
      first: { baseURL: stub.url, models: ['listed'], apiKeyEnv: 'MINE' },
    }),
  });
  const failed = { error: { message: 'key-of-the-provider-12345 may not use annas-own-model' } };
  stub.reply({ status: 503, body: failed });
  await call(app, { model: 'first/annas-own-model' }, { headers: byAnna, items: many });
  const seen = await provider(app, byBen);

  expect(seen).toMatchObject({ up: false, models: [], reason: 'A model of this provider fails.' });
  await call(app, {}, { headers: byBen, items: many });
  const listed = await provider(app, byBen);
  expect(listed.models).toMatchObject([{ model: 'first/listed', up: false }]);
  expect(JSON.stringify(listed)).not.toContain('key-of-the-provider');
});
