/** What answers cost, told through HTTP: exact by the price list, whatever a provider bills. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider } from '../../support/stub-provider.ts';
import { type Data, submitMutation, untilEnded } from './support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp(({ origin, url }) => ({
    OPENAI_BASE_URL: url,
    OPENAI_API_KEY: 'sk-test',
    ANTHROPIC_BASE_URL: origin,
    ANTHROPIC_API_KEY: 'sk-ant-test',
    PRICES: JSON.stringify({
      'stub/base': { input: 2, output: 10, tiers: { priority: 2 }, contextTokens: 8_000 },
    }),
  })));
});
afterAll(() => app.stop());

const usageFields = `usage {
  requests inputTokens cachedInputTokens cacheWriteTokens outputTokens reasoningTokens
  unmeteredRequests costUsd cacheSavedUsd
}`;

/** A chat batch of one request, and the usage of the batch and of its item. */
async function chat(body: object): Promise<{ batch: Data; item: Data }> {
  const { data, errors } = await app.graphql(submitMutation, {
    input: {
      operation: { chat: {} },
      source: { requests: [{ messages: [{ role: 'user', content: 'Hi' }], ...body }] },
    },
  });
  expect(errors).toBeUndefined();
  const id = data?.submitBatch.batch.id;
  await untilEnded(app, id);
  const read = await app.graphql(
    `query ($id: ID!) { batch(id: $id) { ${usageFields} items { edges { node { ${usageFields} } } } } }`,
    { id },
  );
  expect(read.errors).toBeUndefined();
  const { usage, items } = read.data?.batch ?? {};
  return { batch: usage, item: items.edges[0].node.usage };
}

async function label(options: object): Promise<Data> {
  const { data, errors } = await app.graphql(
    `mutation ($options: LabelOptions!) { label(items: [{content: "A"}], options: $options) {
      results { error { message } } ${usageFields} } }`,
    { options: { categories: ['a', 'b'], ...options } },
  );
  expect(errors).toBeUndefined();
  expect(data?.label.results[0].error).toBeNull();
  return data?.label.usage;
}

const message = (usage: object) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-4-5',
  content: [{ type: 'text', text: 'Hello' }],
  stop_reason: 'end_turn',
  usage,
});
const cached = {
  model: 'anthropic/claude-haiku-4-5',
  system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
  max_tokens: 100,
};

describe('tokens that Anthropic wrote to its prompt cache', () => {
  const written = {
    input_tokens: 20,
    cache_creation_input_tokens: 2_000,
    cache_read_input_tokens: 0,
    output_tokens: 10,
  };

  it.each([
    ['five minutes', { ephemeral_5m_input_tokens: 2_000, ephemeral_1h_input_tokens: 0 }, 0.00257],
    ['an hour', { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 2_000 }, 0.00407],
  ])('for %s have the price of that', async (_, cache_creation, costUsd) => {
    stub.reply({ body: message({ ...written, cache_creation, service_tier: 'standard' }) });

    const { batch, item } = await chat(cached);

    for (const usage of [batch, item]) {
      expect(usage).toMatchObject({
        inputTokens: 2_020,
        cacheWriteTokens: 2_000,
        outputTokens: 10,
      });
      expect(usage.costUsd).toBeCloseTo(costUsd, 9);
    }
    expect(item.cacheSavedUsd).toBeCloseTo(-(costUsd - 0.00207), 9);
    expect(batch.cacheSavedUsd).toBeCloseTo(-(costUsd - 0.00207), 9);
  });

  it('are told where nobody says for how long', async () => {
    stub.reply({ body: message(written) });

    expect((await chat(cached)).batch.costUsd).toBeCloseTo(0.00257, 9);
  });
});

describe('an answer of OpenAI', () => {
  const counted = { prompt_tokens: 1_000, completion_tokens: 100 };
  const answer = (more: object, usage: object = counted) => ({
    body: { ...completion('{"label":"a","confidence":1}', { usage }), ...more },
  });

  it.each([
    ['flex', 0.000225],
    ['default', 0.00045],
    ['priority', null],
  ])('at the tier %s costs %d', async (service_tier, costUsd) => {
    stub.reply(answer({ service_tier }));

    const usage = await label({ model: 'openai/gpt-5-mini', extraBody: { service_tier: 'flex' } });

    expect(usage).toMatchObject({ inputTokens: 1_000, outputTokens: 100 });
    if (costUsd === null) expect(usage.costUsd).toBeNull();
    else expect(usage.costUsd).toBeCloseTo(costUsd, 9);
  });

  it('tells the tokens of its thinking, and those that it wrote to the cache', async () => {
    stub.reply(
      answer(
        {},
        {
          ...counted,
          prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 800 },
          completion_tokens_details: { reasoning_tokens: 60 },
        },
      ),
    );

    const usage = await label({ model: 'openai/gpt-5.6' });

    expect(usage).toMatchObject({
      inputTokens: 1_000,
      cachedInputTokens: 100,
      cacheWriteTokens: 800,
      outputTokens: 100,
      reasoningTokens: 60,
    });
    // USD a million: 4 in, 0.4 read, 5 written, 20 out.
    expect(usage.costUsd).toBeCloseTo((100 * 4 + 100 * 0.4 + 800 * 5 + 100 * 20) / 1e6, 9);
    expect(usage.cacheSavedUsd).toBeCloseTo((100 * 3.6 - 800 * 1) / 1e6, 9);
  });

  it('that counts what cannot be has counts that can', async () => {
    stub.reply(
      answer(
        {},
        {
          ...counted,
          prompt_tokens_details: { cached_tokens: 900, cache_write_tokens: 5_000 },
          completion_tokens_details: { reasoning_tokens: 2 ** 60 },
        },
      ),
    );

    expect(await label({ model: 'openai/gpt-5.6' })).toMatchObject({
      cachedInputTokens: 900,
      cacheWriteTokens: 100,
      reasoningTokens: 0,
    });
  });
});

describe('prices of PRICES', () => {
  it('are those of answers, with the factor of their tier', async () => {
    stub.reply({
      body: {
        ...completion('{"label":"a","confidence":1}', {
          usage: { prompt_tokens: 1_000, completion_tokens: 100 },
        }),
        service_tier: 'priority',
      },
    });

    expect((await label({})).costUsd).toBeCloseTo(2 * 0.003, 9);
  });

  it('are told with where they come from', async () => {
    const { data } = await app.graphql(`{ service { priceListDate models {
      id inputPrice cachedInputPrice cacheWritePrice outputPrice contextTokens priceSource } } }`);
    const { models, priceListDate } = (data?.service ?? {}) as Data;
    const named = (id: string) => models.find((model: Data) => model.id === id);

    expect(named('stub/base')).toEqual({
      id: 'stub/base',
      inputPrice: 2,
      cachedInputPrice: null,
      cacheWritePrice: null,
      outputPrice: 10,
      contextTokens: 8_000,
      priceSource: 'CONFIGURED',
    });
    expect(named('anthropic/claude-haiku-4-5')).toMatchObject({
      cachedInputPrice: 0.1,
      cacheWritePrice: 1.25,
      priceSource: 'LIST',
    });
    expect(named('sandbox/rules')).toMatchObject({ priceSource: null, contextTokens: null });
    expect(priceListDate).toMatch(/^2026-\d\d-\d\dT/);
  });
});

describe('what has answers with a known price and others', () => {
  const tierOf = (text: string) => (text.includes('dear') ? 'unheard-of' : 'default');
  const labelled = ({ body }: { body: unknown }) => ({
    body: {
      ...completion('{"label":"a","confidence":1}', {
        usage: { prompt_tokens: 1_000, completion_tokens: 100 },
      }),
      service_tier: tierOf(JSON.stringify(body)),
    },
  });

  it('has an unknown cost as a batch, and the known ones as items', async () => {
    stub.reply(labelled);
    const texts = ['one', 'two', 'a dear one'];
    const operation = { label: { categories: ['a', 'b'] } };
    const { data } = await app.graphql(submitMutation, {
      input: { operation, source: { texts } },
    });
    const id = data?.submitBatch.batch.id;
    await untilEnded(app, id);
    const read = await app.graphql(
      `query ($id: ID!) { batch(id: $id) { usage { costUsd inputTokens }
        items { edges { node { usage { costUsd } } } } } }`,
      { id },
    );

    const { usage, items } = read.data?.batch ?? {};
    expect(usage).toEqual({ costUsd: null, inputTokens: 3_000 });
    expect(items.edges.map(({ node }: Data) => node.usage.costUsd)).toEqual([0.003, 0.003, null]);
  });

  it('has an unknown cost as a call', async () => {
    stub.reply(labelled);
    const { data } = await app.graphql(
      `mutation { label(items: [{content: "one"}, {content: "a dear one"}], options: {categories: ["a", "b"]}) {
        usage { costUsd inputTokens } } }`,
    );

    expect(data?.label.usage).toEqual({ costUsd: null, inputTokens: 2_000 });
  });
});

it('what the outputs and the webhook tell adds up to what the items do', async () => {
  stub.reply({
    body: message({
      input_tokens: 20,
      cache_creation_input_tokens: 2_000,
      cache_creation: { ephemeral_5m_input_tokens: 500, ephemeral_1h_input_tokens: 1_500 },
      output_tokens: 10,
      output_tokens_details: { thinking_tokens: 4 },
    }),
  });
  const { data } = await app.graphql(submitMutation, {
    input: {
      operation: { label: { categories: ['Hello', 'Bye'], model: 'anthropic/claude-haiku-4-5' } },
      source: { texts: ['A'] },
    },
  });
  const id = data?.submitBatch.batch.id;
  await untilEnded(app, id);
  const output = async (format: string) =>
    JSON.parse(await (await fetch(`${app.url}/batches/${id}/output?format=${format}`)).text());

  const record = await output('jsonl');
  expect(record.usage).toMatchObject({
    input_tokens: 2_020 * record.usage.requests,
    cache_write_tokens: 2_000 * record.usage.requests,
    reasoning_tokens: 4 * record.usage.requests,
    unmetered_requests: 0,
  });
});

it('a limit may stand beside a tier whose answers have a known price', async () => {
  const submit = (service_tier: string) =>
    app.graphql(submitMutation, {
      input: {
        operation: {
          label: {
            categories: ['a', 'b'],
            model: 'anthropic/claude-haiku-4-5',
            extraBody: { service_tier },
          },
        },
        source: { texts: ['A'] },
        maxCostUsd: 1,
        autoStart: false,
      },
    });

  expect((await submit('standard_only')).errors).toBeUndefined();
  expect((await submit('auto')).errors).toBeUndefined();
  expect((await submit('priority')).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
});
