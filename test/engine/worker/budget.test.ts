/** A batch that may cost so much at most: it is paused before the item that would go beyond it. */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../../../src/sandbox/wire/random.ts';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider } from '../../support/stub-provider.ts';
import { until } from '../../support/until.ts';
import { ask, submit, submitQuoted, textOf, texts, untilBatch, untilEnded } from './support.ts';

const concurrency = 16;
/** USD per million tokens of prompt and answer, by the list. */
const model = 'openai/gpt-4.1-mini';
const inputPrice = 0.4;
const envOf = ({ url }: StubProvider) => ({
  OPENAI_API_KEY: 'sk-stub',
  OPENAI_BASE_URL: url,
  PROVIDERS: '',
  DEFAULT_MODEL: model,
  WORKER_CONCURRENCY: String(concurrency),
});

let app: App;
let stub: StubProvider;
let sql: postgres.Sql;

beforeAll(async () => {
  ({ app, stub } = await startStubApp(envOf));
  sql = postgres(app.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
});

/** Answers each text with so many tokens of prompt, and none of answer. */
function billed(tokensOf: (text: string) => number): void {
  stub.reply(({ body }) => ({
    body: completion('{"label":"praise","confidence":0.9}', {
      usage: { prompt_tokens: tokensOf(textOf(body)), completion_tokens: 0 },
    }),
  }));
}

interface Bounded {
  status: string;
  maxCostUsd: number | null;
  usage: { costUsd: number; requests: number };
  counts: { succeeded: number; processing: number };
  pause: { reason: string; message: string } | null;
}
const fields =
  'status maxCostUsd usage { costUsd requests } counts { succeeded processing } pause { reason message }';

async function read(id: string): Promise<Bounded> {
  const query = `query($id: ID!) { batch(id: $id) { ${fields} } }`;
  return (await ask<{ batch: Bounded }>(app, query, { id })).batch;
}

function resume(id: string, maxCostUsd?: number) {
  const query = `mutation($id: ID!, $max: Float) { resumeBatch(id: $id, maxCostUsd: $max) { batch { ${fields} } } }`;
  return app.graphql<{ resumeBatch: { batch: Bounded } }>(query, { id, max: maxCostUsd });
}

/** In place of the quote that the batch has, or gets: one under way would be stored behind this. */
async function set(id: string, quote: string | null): Promise<void> {
  const isQuoted = async () => {
    const found = await sql`
      select from batches where id = ${id} and (quote is not null or options_hash is null)`;
    return found.count > 0;
  };
  await until(isQuoted, { deadlineMs: 10_000, what: 'a quote' });
  await sql`update batches set quote = ${quote}, options_hash = null where id = ${id}`;
}

/** Submits a batch whose items are expected to cost so much each. */
function submitAt(items: number, maxCostUsd: number, usd: number, input = {}): Promise<string> {
  const quote = { liveUsd: { expected: usd * items } };
  return submitQuoted(app, texts(items), { maxCostUsd, quote, set, ...input });
}

/** Tokens that cost so much. */
function tokensFor(usd: number): number {
  return Math.round((usd / inputPrice) * 1e6);
}

test('a batch is paused before it goes beyond its limit, and goes on under a higher one', async () => {
  const { uniform } = createRandom(7);
  const drawn = new Map<string, number>();
  billed((text) => {
    const tokens = drawn.get(text) ?? Math.round(200 + uniform() * 1_800);
    drawn.set(text, tokens);
    return tokens;
  });
  const meanUsd = (1_100 * inputPrice) / 1e6;
  const maxCostUsd = 150 * meanUsd;
  stub.requests.length = 0;
  const id = await submitAt(400, maxCostUsd, meanUsd);
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');
  const paused = await read(id);

  expect(paused).toMatchObject({
    maxCostUsd,
    pause: { reason: 'BUDGET' },
    counts: { processing: 0 },
  });
  expect(paused.pause?.message).toMatch(/^maxCostUsd is 0\.066 USD; 0\.06\S+ USD were spent/);
  expect(paused.usage.costUsd).toBeLessThanOrEqual(maxCostUsd + 2 * meanUsd);
  expect(paused.usage.costUsd).toBeGreaterThan(maxCostUsd - (concurrency + 1) * meanUsd);
  expect(stub.requests).toHaveLength(paused.usage.requests);

  const refused = await resume(id);
  expect(refused.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
  const [issue] = refused.errors?.[0]?.extensions.issues ?? [];
  expect(issue).toMatchObject({ path: 'maxCostUsd' });
  expect(issue.message).toMatch(
    /^must be at least 0\.06\d+ USD, and is 0\.066 USD: 0\.06\S+ USD were/,
  );
  const least = Number(/least (\S+) USD/.exec(issue.message)?.[1]);
  expect((await resume(id, least - 0.0001)).errors).toHaveLength(1);
  expect((await resume(id, least)).errors).toBeUndefined();
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');
  expect((await read(id)).counts.succeeded).toBeGreaterThan(paused.counts.succeeded);

  const resumed = await resume(id, 1);
  expect(resumed.data?.resumeBatch.batch).toMatchObject({ maxCostUsd: 1, pause: null });
  const ended = await untilEnded(app, id);

  expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 400 } });
  expect(stub.requests).toHaveLength(400);
  expect(new Set(stub.requests.map(({ body }) => textOf(body))).size).toBe(400);
});

test('answers that are dearer than the quote stop a batch that was claimed by the quote', async () => {
  billed(() => tokensFor(0.01));
  const id = await submitAt(300, 1, 0.001);
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');
  const { usage, counts } = await read(id);

  expect(counts.succeeded).toBeLessThanOrEqual(100 + concurrency);
  expect(usage.costUsd).toBeLessThanOrEqual(1 + concurrency * 0.01 + 1e-9);
});

test('a limit that the whole batch fits under changes nothing', async () => {
  billed(() => tokensFor(0.001));
  const id = await submitAt(250, 0.2501, 0.001);

  expect(await untilEnded(app, id)).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: 250 },
  });
});

test('a batch that waits at its limit holds up no other', async () => {
  billed(() => tokensFor(0.01));
  const waiting = await submitQuoted(app, texts(50), { maxCostUsd: 1, quote: null, set });
  const other = await submit(app, texts(50));

  expect(await untilEnded(app, other)).toMatchObject({ counts: { succeeded: 50 } });
  // Nobody has said what an item costs yet.
  expect((await read(waiting)).counts).toEqual({ succeeded: 0, processing: 0 });
  await set(waiting, JSON.stringify({ liveUsd: { expected: 0.5 } }));
  expect(await untilEnded(app, waiting)).toMatchObject({ counts: { succeeded: 50 } });
});

test('a preview that reached the limit goes on under a higher one, and waits at its own end', async () => {
  billed(() => tokensFor(0.01));
  const id = await submitAt(100, 0.1, 0.01, { preview: 20 });
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');
  expect(await read(id)).toMatchObject({ pause: { reason: 'BUDGET' }, counts: { succeeded: 10 } });

  await resume(id, 5);
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');
  expect(await read(id)).toMatchObject({ pause: { reason: 'PREVIEW' }, counts: { succeeded: 20 } });

  await resume(id, 4);
  expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: 100 } });
});

test('a batch whose limit is used up goes on from no pause, whatever its reason', async () => {
  billed(() => tokensFor(0.00001));
  const previewed = await submitAt(100, 0.00025, 0.00001, { preview: 20 });
  await untilBatch(app, previewed, ({ status }) => status === 'PAUSED');
  expect((await read(previewed)).pause).toEqual({
    reason: 'PREVIEW',
    message:
      'Every row of the preview has its answer, for 0.0002 USD in all; resumeBatch runs the rest',
  });
  const limits = [0.0002, 0.00019];
  const refused = [...(await Promise.all(limits.map((limit) => resume(previewed, limit))))];
  const stillPaused = await read(previewed);
  await resume(previewed, 0.1);
  expect(await untilEnded(app, previewed)).toMatchObject({ counts: { succeeded: 100 } });

  const requested = await submitAt(100, 1, 0.00001, { autoStart: false });
  await set(requested, JSON.stringify({ liveUsd: { expected: 100 } }));
  await ask(app, 'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id: requested });
  await ask(app, 'mutation($id: ID!) { pauseBatch(id: $id) { batch { id } } }', { id: requested });
  refused.push(await resume(requested, 0.5));

  expect(refused.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(
    refused.map(() => 'BAD_USER_INPUT'),
  );
  expect(refused[0]?.errors?.[0]?.message).toMatch(
    /^maxCostUsd: must be at least 0\.00021\d* USD, and is 0\.0002 USD: 0\.0002 USD were spent/,
  );
  expect(stillPaused).toMatchObject({ maxCostUsd: 0.00025, pause: { reason: 'PREVIEW' } });
});

test('another limit for a preview that runs leaves the rest behind it', async () => {
  let letGo = () => undefined as unknown;
  const after = new Promise<void>((resolve) => {
    letGo = () => resolve();
  });
  stub.requests.length = 0;
  stub.reply({ body: completion('{"label":"praise","confidence":0.9}'), after });
  const id = await submitAt(100, 1, 0.001, { preview: 20 });
  await stub.received(concurrency);

  const raised = await resume(id, 2);
  expect(raised.data?.resumeBatch.batch).toMatchObject({ status: 'PROCESSING', maxCostUsd: 2 });
  letGo();
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');

  expect(await read(id)).toMatchObject({ pause: { reason: 'PREVIEW' }, counts: { succeeded: 20 } });
});

test.each([0, -1])('maxCostUsd %d is refused', async (maxCostUsd) => {
  const { errors } = await app.graphql(
    'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    {
      input: {
        operation: { label: { categories: ['a', 'b'] } },
        source: { texts: ['a'] },
        maxCostUsd,
      },
    },
  );

  expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(JSON.stringify(errors)).toContain(`must be above 0, not ${maxCostUsd}`);
});

test('a limit beyond any sum is refused', async () => {
  const { errors } = await app.graphql(
    'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    {
      input: {
        operation: { label: { categories: ['a', 'b'] } },
        source: { texts: ['a'] },
        maxCostUsd: 1e308,
      },
    },
  );

  expect(JSON.stringify(errors)).toContain('must be at most 1,000,000,000, not 1e+308');
});

test('POST /files takes the limit in both spellings', async () => {
  billed(() => tokensFor(0.01));
  for (const name of ['maxCostUsd', 'max_cost_usd']) {
    const form = new FormData();
    form.set('operation', 'label');
    form.set('categories', 'a,b');
    form.set(name, '2.5');
    form.set('file', new File(['one\ntwo'], 'texts.txt', { type: 'text/plain' }));
    const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
    const { batchId, batch } = (await response.json()) as any;
    expect((await read(batchId ?? batch?.id)).maxCostUsd).toBe(2.5);
  }
});

test.each([
  ['a model without a known price', { model: 'openai/of-my-own' }],
  ['a service tier', { model, extraBody: { service_tier: 'priority' } }],
])('maxCostUsd is refused for %s', async (_what, options) => {
  const { errors } = await app.graphql(
    'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    {
      input: {
        operation: { label: { categories: ['a', 'b'], ...options } },
        source: { texts: ['a'] },
        maxCostUsd: 1,
      },
    },
  );

  expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  expect(errors?.[0]?.message).toMatch(/^input.maxCostUsd: must be absent for openai.*PRICES/);
});

test('an answer at a tier without a known price pauses a batch that has a limit', async () => {
  stub.reply({
    body: {
      ...completion('{"label":"praise","confidence":0.9}'),
      service_tier: 'priority',
    },
  });
  const id = await submitAt(100, 1, 0.001);
  await untilBatch(app, id, ({ status, counts }) => status === 'PAUSED' && counts.processing === 0);
  const { pause, counts } = await read(id);

  expect(pause).toMatchObject({ reason: 'BUDGET' });
  expect(pause?.message).toContain('an answer has no known price');
  expect(counts.succeeded).toBeLessThan(100);
});

test('a batch that cannot be quoted is paused with the reason, and quoted again by its resume', async () => {
  billed(() => tokensFor(0.001));
  const id = await submitQuoted(app, texts(10), { maxCostUsd: 1, quote: null, set });
  await set(id, 'null');
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');
  expect((await read(id)).pause?.message).toContain('could not be quoted');

  await resume(id);
  await set(id, JSON.stringify({ liveUsd: { expected: 0.01 } }));
  expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: 10 } });
});
