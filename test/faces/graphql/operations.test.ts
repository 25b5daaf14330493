/** The synchronous operations, from a GraphQL document to what the provider is sent, and back. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion } from '../../support/stub-provider.ts';
import { until } from '../../support/until.ts';
import type { Data } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());
beforeEach(() => {
  app.sandbox.requests.clear();
  app.sandbox.requests.keep(100);
});
afterEach(() => app.sandbox.faults.clear());

/** What the provider was sent, oldest first. */
const sent = (): Data[] => app.sandbox.requests.journal.map(({ body }) => body as Data);
const messages = (): { role: string; content: string }[] => sent()[0]?.messages;

const itemFields =
  'index customId error { code message } usage { requests inputTokens cachedInputTokens outputTokens costUsd }';
const resultFields: Record<string, string> = {
  label: 'label labels confidence confidenceMethod',
  extract: 'data',
  summarize: 'summary data',
  enrich: 'data',
  run: 'text data',
};

/** Runs an operation over items; answers its payload, or throws its errors. */
async function operate(operation: string, items: unknown, options?: object): Promise<Data> {
  const answer = await tryTo(operation, items, options);
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data?.[operation];
}

function tryTo(operation: string, items: unknown, options?: object) {
  const type = `${operation.charAt(0).toUpperCase()}${operation.slice(1)}Options`;
  return app.graphql(
    `mutation($items: [ItemInput!]!, $options: ${type}${operation === 'summarize' ? '' : '!'}) {
      ${operation}(items: $items, options: $options) {
        model
        usage { requests inputTokens outputTokens costUsd }
        results { __typename ${itemFields} ${resultFields[operation]} }
      }
    }`,
    { items, options },
  );
}

const labelOptions = { categories: ['praise', 'complaint'] };

describe('label', () => {
  it('gives each item one category, with a confidence and how it was made', async () => {
    const { model, results } = await operate(
      'label',
      [{ content: 'I love it, great!' }, { content: 'Broken and awful.', customId: 'b' }],
      { categories: ['positive', 'negative'] },
    );

    expect(model).toBe('test/rules');
    expect(results).toMatchObject([
      {
        __typename: 'LabelResult',
        index: 0,
        customId: '0',
        label: 'positive',
        labels: ['positive'],
        error: null,
      },
      { index: 1, customId: 'b', label: 'negative', labels: ['negative'], error: null },
    ]);
    for (const { confidence, confidenceMethod } of results) {
      expect(confidence).toBeGreaterThan(0);
      expect(confidence).toBeLessThanOrEqual(1);
      expect(['LOGPROBS', 'MODEL_REPORTED']).toContain(confidenceMethod);
    }
  });

  it('with multiLabel gives a list and no single label', async () => {
    const {
      results: [result],
    } = await operate('label', [{ content: 'The price is low and shipping was fast' }], {
      categories: ['price', 'shipping', 'weather'],
      multiLabel: true,
    });

    expect(result.label).toBeNull();
    expect(result.labels).toEqual(expect.arrayContaining(['price', 'shipping']));
    expect(result.labels).not.toContain('weather');
  });

  it('tells the model the categories, what they mean, the instructions, and examples as turns', async () => {
    await operate('label', [{ content: 'the item' }], {
      ...labelOptions,
      categoryDescriptions: { praise: 'says something nice' },
      instructions: 'Judge the tone.',
      examples: [{ content: 'Lovely!', labels: ['praise'] }],
    });

    const [system, user, assistant, item, ...more] = messages();
    expect(system?.role).toBe('system');
    for (const part of ['praise', 'complaint', 'says something nice', 'Judge the tone.']) {
      expect(system?.content).toContain(part);
    }
    expect(system?.content).not.toContain('the item');
    expect(user).toEqual({ role: 'user', content: 'Lovely!' });
    expect(JSON.parse(assistant?.content ?? '')).toMatchObject({ label: 'praise' });
    expect(item).toEqual({ role: 'user', content: 'the item' });
    expect(more).toEqual([]);
    expect(sent()[0]?.response_format).toMatchObject({
      type: 'json_schema',
      json_schema: { strict: true },
    });
  });
});

describe('extract', () => {
  const content = 'Write to jo@example.org before 2026-12-01. Acme Ltd paid $120.';

  it.each([
    ['the short form', { schema: { email: 'string', amount: 'number' } }],
    [
      'a JSON Schema',
      {
        schema: {
          type: 'object',
          properties: { email: { type: 'string' }, amount: { type: 'number' } },
          required: ['email'],
        },
      },
    ],
    [
      'both, with instructions',
      { schema: { email: 'string', amount: 'number' }, instructions: 'Extract: email, amount' },
    ],
  ])('takes %s', async (_what, options) => {
    const { results } = await operate('extract', [{ content }], options);

    expect(results).toMatchObject([
      { data: { email: 'jo@example.org', amount: 120 }, error: null },
    ]);
  });

  it('takes instructions alone', async () => {
    const { results } = await operate('extract', [{ content }], { instructions: 'Extract: email' });

    expect(results[0].error).toBeNull();
    expect(Object.keys(results[0].data)).toEqual(['email']);
    expect(messages()[0]?.content).toContain('Extract: email');
  });
});

describe('summarize', () => {
  const content =
    'The first sentence says what matters. The second adds detail. The third is noise.';

  it('answers text, also without options', async () => {
    for (const options of [
      undefined,
      {},
      { instructions: 'One sentence.' },
      { responseFormat: { type: 'TEXT' } },
    ]) {
      const { results } = await operate('summarize', [{ content }], options);
      expect(results[0].summary).toContain('first sentence');
      expect(results[0].data).toBeNull();
    }
    expect(sent()[2]?.messages[0].content).toContain('One sentence.');
  });

  it('answers a JSON object, of a schema where there is one', async () => {
    const free = await operate('summarize', [{ content }], {
      responseFormat: { type: 'JSON_OBJECT' },
    });
    const held = await operate('summarize', [{ content }], {
      responseFormat: { type: 'JSON_SCHEMA', schema: { headline: 'string', points: 'string[]' } },
    });

    expect(free.results[0].data).toBeTypeOf('object');
    expect(Object.keys(held.results[0].data)).toEqual(['headline', 'points']);
    expect(held.results[0].summary).toBeNull();
    expect(sent()[0]?.response_format).toEqual({ type: 'json_object' });
    expect(sent()[1]?.response_format.type).toBe('json_schema');
  });
});

describe('enrich', () => {
  it('fills in bare names and typed fields', async () => {
    const {
      results: [{ data }],
    } = await operate('enrich', [{ content: 'Acme makes software in Berlin since 1998.' }], {
      fields: [
        { name: 'topic' },
        {
          name: 'sector',
          type: 'CATEGORICAL',
          validValues: ['software', 'farming'],
          description: 'What it does',
        },
        { name: 'founded', type: 'NUMERIC', examples: [1998] },
        { name: 'active', type: 'BOOLEAN' },
        { name: 'tags', type: 'LIST' },
        { name: 'since', type: 'DATE' },
      ],
    });

    expect(Object.keys(data)).toEqual(['topic', 'sector', 'founded', 'active', 'tags', 'since']);
    expect(data.sector).toBe('software');
    expect(data.founded).toBe(1998);
    expect(messages()[0]?.content).toContain('What it does');
  });

  it('runtimeCategories override, and includeContext puts the metadata before the content', async () => {
    await operate('enrich', [{ content: 'text', metadata: { country: 'DE' } }], {
      fields: [{ name: 'sector', type: 'CATEGORICAL', validValues: ['old'] }],
      runtimeCategories: { sector: ['fresh', 'frozen'] },
      includeContext: true,
    });

    const schema = JSON.stringify(sent()[0]?.response_format);
    expect(schema).toContain('fresh');
    expect(schema).not.toContain('old');
    expect(messages().at(-1)?.content).toBe('Context: {"country":"DE"}\n\ntext');
  });
});

describe('run', () => {
  it('takes an operation’s name with instructions, or a prompt of one’s own', async () => {
    const named = await operate('run', [{ content: 'Bonjour' }], {
      operation: 'translate',
      instructions: 'Translate into English.',
    });
    await operate('run', [{ content: 'Bonjour' }], {
      systemPrompt: 'You are terse.',
      userPromptTemplate: 'Say: {content}',
    });

    expect(named.results[0]).toMatchObject({ text: expect.any(String), data: null, error: null });
    expect(sent()[0]?.messages[0].content).toContain('Translate into English.');
    expect(sent()[0]?.messages[0].content).toContain('translate');
    expect(sent()[1]?.messages).toEqual([
      { role: 'system', content: 'You are terse.' },
      { role: 'user', content: 'Say: Bonjour' },
    ]);
    expect(sent()[1]).not.toHaveProperty('response_format');
  });

  it('answers data of a schema', async () => {
    const { results } = await operate('run', [{ content: 'jo@example.org' }], {
      instructions: 'Find the address.',
      responseFormat: { type: 'JSON_SCHEMA', schema: { email: 'string' } },
    });

    expect(results[0]).toMatchObject({ data: { email: 'jo@example.org' }, text: null });
  });
});

describe.each([
  ['label', labelOptions],
  ['extract', { schema: { name: 'string' } }],
  ['summarize', {}],
  ['enrich', { fields: [{ name: 'a' }] }],
  ['run', { systemPrompt: 'Answer.' }],
])('every option of a model reaches the provider: %s', (operation, options) => {
  it('prompts, sampling, limits and extras', async () => {
    await operate(
      operation,
      [{ content: 'the text', metadata: { lang: 'de', 'two words': [1, 2] } }],
      {
        ...options,
        model: 'test/rules',
        systemPrompt: 'Only this.',
        userPromptTemplate: '{{{lang}}} {content} / {two words}',
        temperature: 0.25,
        topP: 0.5,
        seed: 7,
        maxOutputTokens: 321,
        reasoningEffort: 'low',
        extraBody: { user: 'tester' },
      },
    );

    // The schema behind it: the sandbox is a server that may not show it to its model.
    expect(messages()).toEqual([
      { role: 'system', content: expect.stringMatching(/^Only this\.(\n\n.*JSON Schema.*)?$/) },
      { role: 'user', content: '{de} the text / [1,2]' },
    ]);
    expect(sent()[0]).toMatchObject({
      model: 'rules',
      temperature: 0.25,
      top_p: 0.5,
      seed: 7,
      max_tokens: 321,
      reasoning_effort: 'low',
      user: 'tester',
    });
  });

  it('without a template the user message is the content alone, exactly', async () => {
    const content = ' "quotes" {braces} {{ }} $& \\n \u2028 😀 __proto__\n';

    await operate(operation, [{ content, metadata: { secret: 'metadata' } }], options);

    expect(messages().at(-1)).toEqual({ role: 'user', content });
    expect(JSON.stringify(messages())).not.toContain('secret');
  });
});

describe('fifty items', () => {
  const fifty = Array.from({ length: 50 }, (_, index) => ({
    content: `thing ${index}`,
    customId: `id-${index}`,
  }));

  it('are asked at once, and answered in order however the answers come', async () => {
    const { app: other, stub } = await startStubApp();
    try {
      // Nobody is answered before everybody has asked; then the later half is first.
      const allAsked = stub.received(50);
      const half = Array.from({ length: 25 }, (_, index) => `thing ${index}`);
      stub.reply(({ body }) => {
        const content = body.messages.at(-1).content;
        const delayMs = half.includes(content) ? 20 : 0;
        return { body: completion(content), after: allAsked, delayMs };
      });

      const answer = await other.graphql(
        `mutation($items: [ItemInput!]!) {
          run(items: $items, options: { instructions: "Repeat it." }) { results { index customId text } }
        }`,
        { items: fifty },
      );

      expect(answer.data?.run.results).toEqual(
        fifty.map(({ content, customId }, index) => ({ index, customId, text: content })),
      );
    } finally {
      await other.stop();
    }
  });

  it('cost together what they cost one by one', async () => {
    const { usage, results } = await operate('label', fifty, labelOptions);
    const sum = (field: string) =>
      results.reduce((all: number, result: Data) => all + result.usage[field], 0);

    expect(usage).toEqual({
      requests: 50,
      inputTokens: sum('inputTokens'),
      outputTokens: sum('outputTokens'),
      costUsd: null,
    });
    expect(usage.inputTokens).toBeGreaterThan(50);
  });

  it('end with the client: when it goes, every call is broken off', async () => {
    app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
    const gone = new AbortController();
    const request = fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query:
          'mutation($items: [ItemInput!]!) { label(items: $items, options: {categories: ["a", "b"]}) { model } }',
        variables: { items: fifty },
      }),
      signal: gone.signal,
    });
    await app.sandbox.until(({ inFlight }) => inFlight === 50);

    gone.abort();

    await expect(request).rejects.toThrow();
    await until(() => app.sandbox.inFlight === 0, { deadlineMs: 5_000, what: 'the calls to end' });
    expect(app.sandbox.requests.aborted).toBe(50);
  });
});

describe('an item that fails', () => {
  const three = [{ content: 'first' }, { content: 'second' }, { content: 'third' }];

  it.each([
    ['REFUSED', { kind: 'refusal' }, 1],
    ['TRUNCATED', { kind: 'truncated' }, 1],
    ['CONTENT_FILTERED', { kind: 'content_filter' }, 1],
    ['INVALID_OUTPUT', { kind: 'invalid_json' }, 3],
    ['INVALID_OUTPUT', { kind: 'wrong_category' }, 3],
    [
      'CONTEXT_TOO_LONG',
      {
        kind: 'status',
        status: 400,
        code: 'context_length_exceeded',
        message: 'maximum context length',
      },
      1,
    ],
    ['INVALID_REQUEST', { kind: 'status', status: 422, message: 'no' }, 1],
  ] as const)(
    'is %s (%j) after %i requests, and its neighbours have their answers',
    async (code, fault, requests) => {
      app.sandbox.faults.add({
        fault,
        when: ({ body }) =>
          (body as { messages: { content: string }[] }).messages.some(
            (message) => message.content === 'second',
          ),
      });

      const { results, usage } = await operate('label', three, labelOptions);

      expect(results.map(({ error }: Data) => error?.code ?? null)).toEqual([null, code, null]);
      expect(results[1]).toMatchObject({
        index: 1,
        customId: '1',
        label: null,
        labels: null,
        confidence: null,
      });
      expect(results[1].error.message).not.toBe('');
      expect(results[1].usage.requests).toBe(requests);
      expect(usage.requests).toBe(requests + 2);
    },
  );

  it('is TEMPLATE_FIELD_MISSING where it alone lacks the field, and nothing is sent for it', async () => {
    const { results } = await operate(
      'label',
      [
        { content: 'a', metadata: { lang: 'de' } },
        { content: 'b' },
        { content: 'c', metadata: JSON.parse('{"__proto__": 1}') },
      ],
      { ...labelOptions, userPromptTemplate: '{lang}: {content}' },
    );

    expect(results.map(({ error }: Data) => error?.code ?? null)).toEqual([
      null,
      'TEMPLATE_FIELD_MISSING',
      'TEMPLATE_FIELD_MISSING',
    ]);
    expect(sent()).toHaveLength(1);
  });

  it('is not one whose fields have the names of Object.prototype: they are data', async () => {
    const metadata = JSON.parse('{"__proto__": "P", "constructor": "C", "toString": "T"}');

    const { results } = await operate('label', [{ content: 'x', metadata }], {
      ...labelOptions,
      userPromptTemplate: '{__proto__} {constructor} {toString}',
    });

    expect(results[0].error).toBeNull();
    expect(messages().at(-1)?.content).toBe('P C T');
  });

  it('is asked again with what was wrong, and then may succeed', async () => {
    app.sandbox.faults.add({ fault: { kind: 'invalid_json' }, times: 1 });

    const { results } = await operate('label', [{ content: 'good' }], labelOptions);

    expect(results[0]).toMatchObject({ error: null, usage: { requests: 2 } });
    expect(sent()[1]?.messages.at(-1).content).toMatch(/not valid/);
  });

  it('waits for a rate limit and a passing failure without telling anybody', async () => {
    app.sandbox.faults.add({ fault: { kind: 'rate_limited', retryAfter: '0.05' }, times: 1 });
    app.sandbox.faults.add({ fault: { kind: 'status', status: 503 }, times: 1 });

    const { results } = await operate('label', [{ content: 'good' }], labelOptions);

    expect(results[0]).toMatchObject({ error: null, usage: { requests: 3 } });
  });

  it('keeps its text and its neighbours’ out of the messages', async () => {
    app.sandbox.faults.add({
      fault: {
        kind: 'status',
        status: 400,
        message: 'The text "the secret words of a long enough item text" is bad',
      },
    });

    const { results } = await operate(
      'label',
      [{ content: 'the secret words of a long enough item text' }],
      labelOptions,
    );

    expect(results[0].error.code).toBe('INVALID_REQUEST');
    expect(results[0].error.message).not.toContain('the secret words of a long enough item text');
  });
});

describe('a provider that answers nobody', () => {
  it.each([
    [
      'a wrong key',
      {
        kind: 'status',
        status: 401,
        code: 'invalid_api_key',
        message: 'Incorrect API key: sk-abc-secret',
      },
    ],
    [
      'a quota that is used up',
      {
        kind: 'status',
        status: 429,
        code: 'insufficient_quota',
        message: 'You exceeded your quota',
      },
    ],
    ['a country that is refused', { kind: 'status', status: 403, message: 'Not here' }],
  ] as const)('%s is PROVIDER_UNAVAILABLE for the whole request', async (_what, fault) => {
    app.sandbox.faults.add({ fault });

    const { data, errors } = await tryTo(
      'label',
      [{ content: 'a' }, { content: 'b' }],
      labelOptions,
    );

    expect(data).toBeNull();
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['PROVIDER_UNAVAILABLE']);
    expect(errors?.[0]?.message).toContain('test');
    expect(errors?.[0]?.message).not.toContain('sk-abc-secret');
    expect(app.sandbox.requests.count).toBeLessThanOrEqual(2);
  });

  it('a refused connection is PROVIDER_UNAVAILABLE after a few tries', async () => {
    const closed = await startFaultySandbox();
    await closed.close();
    const lonely = await startApp({
      PROVIDERS: JSON.stringify({ gone: { baseURL: closed.url } }),
      DEFAULT_MODEL: 'gone/model',
    });
    try {
      const { errors } = await lonely.graphql(
        'mutation { run(items: [{content: "x"}], options: {instructions: "x"}) { model } }',
      );
      expect(errors?.[0]?.extensions.code).toBe('PROVIDER_UNAVAILABLE');
      expect(errors?.[0]?.message).toContain('gone');
      expect(errors?.[0]?.message).not.toContain(new URL(closed.url).port);
    } finally {
      await lonely.stop();
    }
  });
});

it('a provider that is known to be down refuses a request at once, and says when it is tried again', async () => {
  const down = await startApp();
  try {
    down.sandbox.faults.add({ fault: { kind: 'status', status: 503, message: 'overloaded' } });
    const items = Array.from({ length: 20 }, (_, n) => `{content: "text ${n}"}`).join(' ');
    const first = await down.graphql(
      `mutation { run(items: [${items}], options: {instructions: "x"}) { model } }`,
    );
    const asked = down.sandbox.requests.count;

    const second = await down.graphql(
      'mutation { run(items: [{content: "x"}], options: {instructions: "x"}) { model } }',
    );

    expect(first.errors?.[0]?.extensions.code).toBe('PROVIDER_UNAVAILABLE');
    // Not each of them five times.
    expect(asked).toBeLessThanOrEqual(60);
    expect(second.errors?.[0]?.extensions.code).toBe('PROVIDER_UNAVAILABLE');
    expect(second.errors?.[0]?.message).toMatch(/has failed every call for .* the next try is in/);
    expect(second.errors?.[0]?.message).toContain('overloaded');
    expect(down.sandbox.requests.count).toBe(asked);
  } finally {
    await down.stop();
  }
});

it('service names the default model and the models there are', async () => {
  const { data } = await app.graphql(
    '{ service { version defaultModel models { id provider inputPrice } limits { syncItems inlineItems pageSize fileBytes fileRows } } }',
  );

  expect(data?.service).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    defaultModel: 'test/rules',
    limits: {
      syncItems: 50,
      inlineItems: 10_000,
      pageSize: 1_000,
      fileBytes: 104_857_600,
      fileRows: 1_000_000,
    },
  });
  expect(data?.service.models.map(({ id }: Data) => id)).toEqual(
    expect.arrayContaining(['test/rules', 'sandbox/rules']),
  );
});
