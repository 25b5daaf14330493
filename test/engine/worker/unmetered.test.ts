/** Requests of which no usage comes, as a batch, its items and a synchronous answer tell them. */
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import {
  completion,
  type StubProvider,
  type StubReply,
  startStubProvider,
} from '../../support/stub-provider.ts';
import { ask, cancel, submit, texts, untilEnded } from './support.ts';

const timeoutMs = 400;
const concurrency = 64;
/** USD by the price list: 10 tokens of gpt-4.1-mini's input, and 5 of its output. */
const answerUsd = (10 * 0.4 + 5 * 1.6) / 1e6;

const valid: StubReply = { body: completion('{"label":"praise","confidence":0.9}') };
const invalid: StubReply = { body: completion('{"label":"neither","confidence":0.9}') };
const hanging: StubReply = { fault: 'headers' };

let app: App;
let stub: StubProvider;

const envOf = ({ url }: StubProvider) => ({
  OPENAI_API_KEY: 'key',
  OPENAI_BASE_URL: url,
  DEFAULT_MODEL: 'openai/gpt-4.1-mini',
  WORKER_CONCURRENCY: String(concurrency),
});

beforeAll(async () => {
  const env = (given: StubProvider) => ({ ...envOf(given), MODEL_TIMEOUT_MS: String(timeoutMs) });
  ({ app, stub } = await startStubApp(env));
});
afterAll(() => app.stop());
beforeEach(() => {
  stub.requests.length = 0;
});

const usageFields =
  'usage { requests unmeteredRequests inputTokens outputTokens costUsd } unmeteredUsd resentRequests';

interface Spent {
  usage: {
    requests: number;
    unmeteredRequests: number;
    inputTokens: number;
    outputTokens: number;
    costUsd: number | null;
  };
  unmeteredUsd: number | null;
  resentRequests: number;
}

async function spentOn(api: App, id: string): Promise<Spent> {
  const query = `query($id: ID!) { batch(id: $id) { ${usageFields} } }`;
  return (await ask<{ batch: Spent }>(api, query, { id })).batch;
}

/** The usage of all items of a batch, added up; `sent`: items that have one. */
async function spentOnItems(api: App, id: string) {
  const total = { requests: 0, unmeteredRequests: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 };
  let sent = 0;
  for (let after: string | null = null; ; ) {
    const { batch }: { batch: { items: ItemPage } } = await ask(
      api,
      `query($id: ID!, $after: String) { batch(id: $id) { items(first: 250, after: $after) {
         edges { node { usage { requests unmeteredRequests inputTokens outputTokens costUsd } } }
         pageInfo { hasNextPage endCursor } } } }`,
      { id, after },
    );
    for (const { node } of batch.items.edges) {
      if (node.usage) sent += 1;
      for (const name of Object.keys(total) as (keyof typeof total)[]) {
        total[name] += node.usage?.[name] ?? 0;
      }
    }
    if (!batch.items.pageInfo.hasNextPage) return { ...total, sent };
    after = batch.items.pageInfo.endCursor;
  }
}

interface ItemPage {
  edges: { node: { usage: Spent['usage'] | null } }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

test('an item that is answered at the third time tells of two requests without a usage', async () => {
  stub.reply(hanging, hanging, valid);

  const id = await submit(app, texts(1));
  const ended = await untilEnded(app, id);

  expect(ended.status).toBe('COMPLETED');
  const { usage, unmeteredUsd } = await spentOn(app, id);
  expect(usage).toMatchObject({ requests: 3, unmeteredRequests: 2, inputTokens: 10 });
  expect(usage.costUsd).toBeCloseTo(answerUsd, 12);
  expect(unmeteredUsd).toBeCloseTo(2 * answerUsd, 12);
});

test('a synchronous item that never gets an answer tells of all its requests', async () => {
  stub.reply(({ text }) => (text.includes('hangs') ? hanging : valid));

  const { label } = await ask<{ label: Pick<Spent, 'usage'> }>(
    app,
    `mutation { label(items: [{content: "hangs"}, {content: "answered"}],
       options: {categories: ["praise", "complaint"]}) {
         usage { requests unmeteredRequests inputTokens outputTokens costUsd } } }`,
    {},
  );

  expect(label.usage).toMatchObject({ requests: 6, unmeteredRequests: 5, inputTokens: 10 });
  expect(label.usage.costUsd).toBeCloseTo(answerUsd, 12);
});

test.each<[string, StubReply, number]>([
  ['whose connection breaks', { fault: 'reset' }, 1],
  ['whose answer breaks off', { fault: 'reset-body', ...valid }, 1],
  [
    'that is answered without a usage',
    { body: completion('{"label":"praise"}', { usage: null }) },
    1,
  ],
  ['that is answered with HTML', { body: '<html>', headers: { 'content-type': 'text/html' } }, 1],
  ['that is refused with 500', { status: 500, body: {} }, 0],
  ['that is refused with 429', { status: 429, body: {} }, 0],
])('a request %s is told of where it may have been billed', async (_what, reply, unmetered) => {
  stub.reply(reply, valid);

  const id = await submit(app, texts(1));
  await untilEnded(app, id);

  const { usage } = await spentOn(app, id);
  expect(usage).toMatchObject({ requests: stub.requests.length, unmeteredRequests: unmetered });
});

describe('64 items that were answered invalidly, with the repair of each under way', () => {
  let api: App;
  let worker: App;
  let provider: StubProvider;
  let sql: postgres.Sql;
  const start = (env: Record<string, string>, shared = {}) => {
    return startApp({ ...envOf(provider), ...env }, shared);
  };
  const startWorker = () => start({ ROLE: 'worker' }, api);

  beforeAll(async () => {
    provider = await startStubProvider();
    api = await start({ ROLE: 'api' });
    sql = postgres(api.databaseUrl, { max: 1 });
  });
  afterAll(async () => {
    await sql.end();
    await api.stop();
    await provider.close();
  });
  beforeEach(async () => {
    provider.requests.length = 0;
    worker = await startWorker();
  });
  afterEach(() => worker.stop());

  /** Answers so many, all at once, and leaves open what comes then. */
  async function submitRepairs(): Promise<string> {
    let answer = () => undefined as unknown;
    const after = new Promise<void>((resolve) => {
      answer = () => resolve();
    });
    const firsts = Array.from({ length: concurrency }, () => ({ ...invalid, after }));
    provider.reply(...firsts, hanging);
    const id = await submit(api, texts(400));
    await provider.received(concurrency);
    answer();
    await provider.received(2 * concurrency);
    return id;
  }

  test.each([
    { status: 'CANCELLED', end: (id: string) => cancel(api, id) },
    {
      status: 'EXPIRED',
      end: (id: string) => sql`update batches set expires_at = now() where id = ${id}`,
    },
  ])('are told by the batch and by its items when it is $status', async ({ status, end }) => {
    const id = await submitRepairs();
    await end(id);
    const ended = await untilEnded(api, id);

    expect(ended.status).toBe(status);
    const { usage, unmeteredUsd, resentRequests } = await spentOn(api, id);
    expect(usage).toMatchObject({
      requests: 2 * concurrency,
      unmeteredRequests: concurrency,
      inputTokens: 10 * concurrency,
      outputTokens: 5 * concurrency,
    });
    expect(usage.costUsd).toBeCloseTo(concurrency * answerUsd, 12);
    expect(unmeteredUsd).toBeCloseTo(concurrency * answerUsd, 12);
    expect(resentRequests).toBe(0);
    const { sent, ...ofItems } = await spentOnItems(api, id);
    expect(ofItems).toEqual({ ...usage, costUsd: expect.closeTo(usage.costUsd ?? 0, 12) });
    expect(sent).toBeLessThan(2 * concurrency);
  });

  test('are told as sent again when their worker stops, and the others’ usage is kept', async () => {
    const id = await submitRepairs();

    await worker.stop();
    const stopped = await spentOn(api, id);
    const ofItems = await spentOnItems(api, id);
    provider.reply(valid);
    worker = await startWorker();
    const ended = await untilEnded(api, id);
    const { usage, resentRequests } = await spentOn(api, id);

    expect(stopped.resentRequests).toBe(concurrency);
    expect(stopped.usage).toMatchObject({
      requests: concurrency,
      unmeteredRequests: concurrency,
      inputTokens: 10 * concurrency,
    });
    expect(ofItems).toMatchObject({ requests: concurrency, unmeteredRequests: 0 });
    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 400 } });
    expect([usage.requests, resentRequests]).toEqual([concurrency + 400, concurrency]);
    expect(provider.requests).toHaveLength(usage.requests + resentRequests);
    expect(usage.inputTokens).toBe(10 * usage.requests);
  });
});
