/** Which requests ask for the provider's prompt cache, and what that comes to. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../support/app.ts';
import { type BilledCall, createPromptCache } from '../support/prompt-cache.ts';
import {
  refusal,
  type StubProvider,
  type StubRequest,
  startStubProvider,
} from '../support/stub-provider.ts';

let stub: StubProvider;
let app: App;
beforeAll(async () => {
  stub = await startStubProvider();
  app = await startApp({
    OPENAI_BASE_URL: stub.url,
    OPENAI_API_KEY: 'sk-test-1234567890',
    ANTHROPIC_BASE_URL: stub.url,
    ANTHROPIC_API_KEY: 'sk-ant-test-1234567890',
    PROVIDERS: JSON.stringify({ other: { baseURL: stub.url } }),
    PRICES: JSON.stringify({
      'openai/gpt-6': { input: 2, cachedInput: 0.2, cacheWrite: 2.5, output: 12 },
    }),
    DEFAULT_MODEL: 'openai/gpt-4.1-mini',
  });
});
afterAll(async () => {
  await app.stop();
  await stub.close();
});
/** What every model in this file is asked with is new to its process. */
let made = 0;
beforeEach(() => {
  stub.requests.length = 0;
  made += 1;
});

/** A system prompt of about so many tokens, which the provider has not seen. */
const promptOf = (tokens: number) => `${made} `.padEnd(tokens * 4, 'Say what the text is about. ');
const texts = (count: number) => Array.from({ length: count }, (_, index) => `text ${index}`);

async function run(
  model: string,
  {
    tokens,
    items,
    options = {},
    ...input
  }: { tokens: number; items: number; options?: object; [name: string]: unknown },
) {
  const { data, errors } = await app.graphql(
    `mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }`,
    {
      input: {
        operation: { run: { model, systemPrompt: promptOf(tokens), ...options } },
        source: { texts: texts(items) },
        ...input,
      },
    },
  );
  expect(errors).toBeUndefined();
  const id: string = data?.submitBatch.batch.id;
  await app.first('batch.ended', { batch: id });
  const read = await app.graphql(
    `query ($id: ID!) { batch(id: $id) {
      counts { total succeeded failed }
      usage { requests inputTokens cachedInputTokens costUsd }
    } }`,
    { id },
  );
  expect(read.errors).toBeUndefined();
  return read.data?.batch;
}

/** Summarizes texts synchronously. */
const summarize = (items: readonly string[], options: object) =>
  app.graphql(
    `mutation ($items: [ItemInput!]!, $options: SummarizeOptions!) {
      summarize(items: $items, options: $options) { results { error { code } } }
    }`,
    { items: items.map((content) => ({ content })), options },
  );

const sent = () => stub.requests.map(({ body }) => body);
const count = (calls: readonly BilledCall[], which: 'read' | 'written') =>
  calls.filter((call) => call[which] > 0).length;

describe('Anthropic', () => {
  const model = 'anthropic/claude-sonnet-4-5';

  it('reads the common beginning in all calls but the first', async () => {
    const cache = createPromptCache({ kind: 'anthropic', delayMs: 20 });
    stub.reply(cache.reply);

    const batch = await run(model, { tokens: 3_000, items: 300 });

    expect(batch.counts).toEqual({ total: 300, succeeded: 300, failed: 0 });
    expect([count(cache.calls, 'written'), count(cache.calls, 'read')]).toEqual([1, 299]);
    expect(batch.usage.cachedInputTokens).toBe(
      cache.calls.reduce((sum, { read }) => sum + read, 0),
    );
    expect(sent()[0].system).toEqual([
      { type: 'text', text: promptOf(3_000), cache_control: { type: 'ephemeral' } },
    ]);
    expect(sent().every(({ messages }) => typeof messages[0].content === 'string')).toBe(true);
  });

  it.each([
    ['a beginning that is too short', { tokens: 900, items: 5 }],
    ['three items', { tokens: 3_000, items: 3 }],
    ['promptCaching: false', { tokens: 3_000, items: 5, promptCaching: false }],
    [
      'marks of the caller’s own',
      {
        tokens: 3_000,
        items: 5,
        options: { extraBody: { cache_control: { type: 'ephemeral' } } },
      },
    ],
  ])('marks nothing with %s', async (_, given) => {
    stub.reply(createPromptCache({ kind: 'anthropic' }).reply);

    await run(model, given);

    expect(sent().map(({ system }) => typeof system)).toEqual(
      Array.from({ length: given.items }, () => 'string'),
    );
  });

  it('marks what the caller says is to be cached', async () => {
    stub.reply(createPromptCache({ kind: 'anthropic' }).reply);

    await run(model, { tokens: 100, items: 1, promptCaching: true });

    expect(sent()[0].system[0].cache_control).toEqual({ type: 'ephemeral' });
  });

  it.each([
    ['messages.0.cache_control: Extra inputs are not permitted'],
    ['A maximum of 4 blocks with cache_control may be provided. Found 5.'],
    ['system: Input should be a valid string'],
  ])('goes on without a mark where that is refused: %s', async (message) => {
    // Of a name of its own: the model remembers.
    const own = `anthropic/claude-sonnet-5-${made}`;
    const cache = createPromptCache({ kind: 'anthropic' });
    stub.reply((request) =>
      Array.isArray(request.body.system)
        ? {
            status: 400,
            body: { type: 'error', error: { type: 'invalid_request_error', message } },
          }
        : cache.reply(request),
    );

    const batch = await run(own, { tokens: 3_000, items: 40 });
    const refused = stub.requests.length - 40;
    await run(own, { tokens: 3_000, items: 4 });

    expect(batch.counts).toEqual({ total: 40, succeeded: 40, failed: 0 });
    expect(refused).toBeGreaterThan(0);
    expect(stub.requests.length).toBe(40 + refused + 4);
    expect(batch.usage.inputTokens).toBe(
      cache.calls.slice(0, 40).reduce((sum, { inputTokens }) => sum + inputTokens, 0),
    );
  });
});

describe('OpenAI', () => {
  it('sends requests with one beginning by one key, and one of them first', async () => {
    const cache = createPromptCache({ kind: 'implicit', delayMs: 20 });
    stub.reply(cache.reply);

    const batch = await run('openai/gpt-4.1-mini', { tokens: 3_000, items: 300 });
    const [key] = new Set(sent().map((body) => body.prompt_cache_key));

    expect(batch.counts.succeeded).toBe(300);
    expect(count(cache.calls, 'read')).toBe(299);
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(sent().every((body) => body.prompt_cache_key === key)).toBe(true);
    expect(sent()[0]).not.toHaveProperty('prompt_cache_options');
    expect(sent()[0].messages[0]).toEqual({ role: 'system', content: promptOf(3_000) });
  });

  it.each([
    [980, false],
    [1_100, true],
  ])('counts a beginning of %i tokens, and marks it: %s', async (tokens, isMarked) => {
    stub.reply(createPromptCache({ kind: 'implicit' }).reply);

    await run('openai/gpt-4.1-mini', { tokens, items: 5 });

    expect(sent().map((body) => 'prompt_cache_key' in body)).toEqual(
      Array.from({ length: 5 }, () => isMarked),
    );
  });

  it('has a breakpoint behind the beginning where the model bills for writing', async () => {
    const cache = createPromptCache({ kind: 'explicit', delayMs: 20 });
    stub.reply(cache.reply);

    const batch = await run('openai/gpt-5.6', { tokens: 3_000, items: 300 });

    expect(batch.counts.succeeded).toBe(300);
    expect([count(cache.calls, 'written'), count(cache.calls, 'read')]).toEqual([1, 299]);
    expect(sent()[0]).toMatchObject({ prompt_cache_options: { mode: 'explicit' } });
    expect(sent()[0].messages[0].content).toEqual([
      { type: 'text', text: promptOf(3_000), prompt_cache_breakpoint: { mode: 'explicit' } },
    ]);
  });

  it('goes by the prices of the operator, and costs what the provider bills', async () => {
    const cache = createPromptCache({ kind: 'explicit' });
    stub.reply(cache.reply);

    const batch = await run('openai/gpt-6', { tokens: 3_000, items: 40 });

    expect(sent()[0]).toMatchObject({ prompt_cache_options: { mode: 'explicit' } });
    const bill = cache.calls.map(
      ({ inputTokens, read, written }) =>
        (inputTokens - read - written) * 2 + read * 0.2 + written * 2.5 + 5 * 12,
    );
    expect(batch.usage.costUsd).toBeCloseTo(bill.reduce((sum, part) => sum + part, 0) / 1e6, 9);
  });

  it('sends no second value beside the caller’s own', async () => {
    stub.reply(createPromptCache({ kind: 'explicit' }).reply);
    const extraBody = { prompt_cache_key: 'mine', prompt_cache_options: { mode: 'implicit' } };

    await run('openai/gpt-5.6', { tokens: 3_000, items: 5, options: { extraBody } });

    for (const body of sent()) {
      expect(body).toMatchObject(extraBody);
      expect(JSON.stringify(body)).not.toContain('prompt_cache_breakpoint');
    }
  });

  it('tells other providers of a key only where the caller wants the cache', async () => {
    stub.reply(createPromptCache({ kind: 'implicit' }).reply);

    await run('other/model', { tokens: 3_000, items: 5 });
    await run('other/model', { tokens: 3_000, items: 5, promptCaching: true });

    expect(sent().map((body) => 'prompt_cache_key' in body)).toEqual([
      ...Array.from({ length: 5 }, () => false),
      ...Array.from({ length: 5 }, () => true),
    ]);
  });

  it.each([
    [
      'Azure',
      ['prompt_cache_key'],
      {
        message: 'Unrecognized request argument supplied: prompt_cache_key',
        type: 'invalid_request_error',
        param: null,
        code: 'unrecognized_request_argument',
      },
    ],
    [
      'Google',
      ['prompt_cache_key'],
      {
        message:
          'Invalid JSON payload received. Unknown name "prompt_cache_key": Cannot find field.',
        code: 400,
        status: 'INVALID_ARGUMENT',
      },
    ],
    [
      'OpenAI about its options',
      ['prompt_cache_options', 'prompt_cache_breakpoint'],
      {
        message: "Unknown parameter: 'prompt_cache_options'.",
        param: 'prompt_cache_options',
        code: 'unknown_parameter',
      },
    ],
    [
      'OpenAI about its breakpoint',
      ['prompt_cache_options', 'prompt_cache_breakpoint'],
      {
        message: "Unknown parameter: 'messages[0].content[0].prompt_cache_breakpoint'.",
        param: 'messages[0].content[0].prompt_cache_breakpoint',
        code: 'unknown_parameter',
      },
    ],
    [
      'a server that takes text alone',
      ['prompt_cache_options', 'prompt_cache_breakpoint'],
      { message: 'expected a string', param: 'messages[0].content', code: 'invalid_type' },
    ],
  ])('goes on without what %s refuses', async (_, names, error) => {
    const own = `openai/gpt-5.6-sol-2026-01-${10 + (made % 80)}`;
    const cache = createPromptCache({ kind: 'explicit' });
    stub.reply((request) =>
      names.some((name) => request.text.includes(`"${name}"`))
        ? refusal(400, error)
        : cache.reply(request),
    );

    const batch = await run(own, { tokens: 3_000, items: 40 });
    const refused = stub.requests.length - 40;
    await run(own, { tokens: 3_000, items: 4 });

    expect(batch.counts).toEqual({ total: 40, succeeded: 40, failed: 0 });
    expect(refused).toBeGreaterThan(0);
    expect(stub.requests.length).toBe(40 + refused + 4);
    expect(batch.usage.inputTokens).toBe(
      cache.calls.slice(0, 40).reduce((sum, { inputTokens }) => sum + inputTokens, 0),
    );
  });
});

describe('the first call', () => {
  const model = 'anthropic/claude-sonnet-4-5';

  it('is alone until it is answered, and holds up no other batch', async () => {
    const cache = createPromptCache({ kind: 'anthropic' });
    let answerFirst = () => undefined as unknown;
    const after = new Promise<void>((resolve) => {
      answerFirst = resolve;
    });
    const isMarked = ({ body }: StubRequest) => typeof body.system === 'object';
    stub.reply((request) => ({
      ...cache.reply(request),
      ...(isMarked(request) && stub.requests.filter(isMarked).length === 1 ? { after } : undefined),
    }));

    const marked = run(model, { tokens: 3_000, items: 100 });
    await stub.received(1);
    await run(model, { tokens: 100, items: 100 });
    const alone = stub.requests.filter(isMarked).length;
    answerFirst();
    const batch = await marked;

    expect(alone).toBe(1);
    expect(batch.counts.succeeded).toBe(100);
  });

  it('is another one where the first one fails', async () => {
    const cache = createPromptCache({ kind: 'anthropic' });
    const failed = { type: 'error', error: { type: 'api_error', message: 'no' } };
    stub.reply({ status: 500, body: failed }, { status: 500, body: failed }, cache.reply);

    const batch = await run(model, { tokens: 3_000, items: 100 });

    expect(batch.counts.succeeded).toBe(100);
    expect([count(cache.calls, 'written'), count(cache.calls, 'read')]).toEqual([1, 99]);
  });

  it('goes first among synchronous calls too, from four items on', async () => {
    const cache = createPromptCache({ kind: 'anthropic', delayMs: 20 });
    stub.reply(cache.reply);
    const options = { model, systemPrompt: promptOf(3_000) };

    const few = await summarize(texts(3), options);
    const marked = cache.calls.filter((call) => call.marked !== null).length;
    const many = await summarize(texts(10), options);

    expect(few.errors ?? many.errors).toBeUndefined();
    expect(marked).toBe(0);
    expect([count(cache.calls, 'written'), count(cache.calls, 'read')]).toEqual([1, 9]);
  });
});

it('marks no more once 50 answers have written and none has read', async () => {
  const cache = createPromptCache({ kind: 'anthropic', keptMs: -1 });
  stub.reply(cache.reply);
  const ended: object[] = [];
  const off = app.service.events.on('caching.ended', (fact) => ended.push(fact));

  await run('anthropic/claude-sonnet-4-5', { tokens: 3_000, items: 400 });
  off();
  const marked = cache.calls.map((call) => call.marked !== null);

  expect(ended).toEqual([{ model: 'anthropic/claude-sonnet-4-5', answers: 50 }]);
  // Those that were under way at the end, and the first one.
  expect(marked.filter(Boolean).length).toBeLessThanOrEqual(51 + 2 * 64);
  expect(marked.slice(-100)).not.toContain(true);
});

describe('a submit', () => {
  const submit = (promptCaching: unknown, idempotencyKey: string) =>
    app.graphql(
      `mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }`,
      {
        input: {
          operation: { summarize: {} },
          source: { texts: ['a'] },
          autoStart: false,
          idempotencyKey,
          promptCaching,
        },
      },
    );

  it('is the same input with promptCaching null as without', async () => {
    const absent = await submit(undefined, 'key');
    const nothing = await submit(null, 'key');
    const off = await submit(false, 'key');

    expect(nothing.data).toEqual(absent.data);
    expect(off.errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_CONFLICT');
  });

  it.each(['promptCaching', 'prompt_caching'])('takes %s as a field of a form', async (name) => {
    stub.reply(createPromptCache({ kind: 'anthropic' }).reply);
    const form = new FormData();
    form.set('operation', 'summarize');
    form.set('model', 'anthropic/claude-sonnet-4-5');
    form.set(name, 'true');
    form.set('file', new Blob(['text\na\n']), 'a.csv');

    const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
    const { batchId } = (await response.json()) as { batchId: string };
    await app.first('batch.ended', { batch: batchId });

    expect(sent()[0].system[0].cache_control).toEqual({ type: 'ephemeral' });
  });
});

describe.each([
  ['openai/rules', { prompt_cache_key: expect.stringMatching(/^[0-9a-f]{32}$/) }],
  ['anthropic/rules', { system: [{ cache_control: { type: 'ephemeral' } }] }],
])('a job of %s', (model, mark) => {
  it('is answered with marks, which its items show', async () => {
    const sandbox = await startFaultySandbox();
    onTestFinished(() => sandbox.close());
    const jobs = await startApp(
      {
        OPENAI_BASE_URL: sandbox.url,
        OPENAI_API_KEY: 'sk-test-1234567890',
        ANTHROPIC_BASE_URL: `${sandbox.anthropicUrl}/v1`,
        ANTHROPIC_API_KEY: 'sk-ant-test-1234567890',
        PROVIDERS: '',
        DEFAULT_MODEL: model,
      },
      { sandbox },
    );
    onTestFinished(() => jobs.stop());
    const { data, errors } = await jobs.graphql(
      `mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }`,
      {
        input: {
          operation: { summarize: { systemPrompt: promptOf(3_000) } },
          source: { texts: texts(10) },
          execution: 'PROVIDER_BATCH',
          promptCaching: true,
        },
      },
    );
    expect(errors).toBeUndefined();
    const { id } = data?.submitBatch.batch ?? {};
    await jobs.first('batch.ended', { batch: id });
    const read = await jobs.graphql(
      `query ($id: ID!) { batch(id: $id) { counts { succeeded } items { edges { node { request } } } } }`,
      { id },
    );

    expect(read.data?.batch.counts).toEqual({ succeeded: 10 });
    const edges: { node: { request: object } }[] = read.data?.batch.items.edges;
    for (const { node } of edges) expect(node.request).toMatchObject(mark);
  });
});
