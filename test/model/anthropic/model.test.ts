import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noTokens } from '../../../src/core/usage.ts';
import { normalizeAnthropicBaseUrl } from '../../../src/model/endpoint.ts';
import type { BodyRequest, PromptRequest } from '../../../src/model/request.ts';
import {
  type StubProvider,
  type StubReply,
  startStubProvider,
} from '../../support/stub-provider.ts';
import { ask, failureOf, json, schema, text } from '../support.ts';
import { claudeOf, message, refusal } from './support.ts';

let stub: StubProvider;
beforeEach(async () => {
  stub = await startStubProvider();
  stub.reply({ body: message('ok') });
});
afterEach(() => stub.close());

const sent = (index: number) => stub.requests.at(index)?.body;
const user = { role: 'user', content: 'Where is the card?' };

describe('the request', () => {
  test('has the key, the version, the system prompt and the messages, and nothing that was not asked for', async () => {
    const answer = await ask(claudeOf(stub.origin));

    expect(answer.text).toBe('ok');
    expect(stub.requests[0]?.url).toBe('/v1/messages');
    expect(stub.requests[0]?.headers).toMatchObject({
      'x-api-key': 'sk-test-1234567890abcdef',
      'anthropic-version': '2023-06-01',
    });
    expect(Object.keys(stub.requests[0]?.headers ?? {}).sort()).toEqual(
      [
        'accept',
        'anthropic-version',
        'connection',
        'content-length',
        'content-type',
        'host',
        'user-agent',
        'x-api-key',
        'x-winnow-hop',
      ].sort(),
    );
    expect(sent(0)).toEqual({
      model: 'claude-haiku-4-5',
      max_tokens: 8_192,
      system: 'Answer briefly.',
      messages: [user],
    });
  });

  test('has no key where there is none', async () => {
    await ask(claudeOf(stub.origin, { apiKey: null }));

    expect(stub.requests[0]?.headers).not.toHaveProperty('x-api-key');
    expect(stub.requests[0]?.headers).not.toHaveProperty('authorization');
  });

  test.each([
    ['https://api.anthropic.com', 'https://api.anthropic.com'],
    ['https://api.anthropic.com/', 'https://api.anthropic.com'],
    ['https://api.anthropic.com/v1/', 'https://api.anthropic.com'],
    ['https://api.anthropic.com/v1/messages', 'https://api.anthropic.com'],
    ['http://h:1/anthropic/v1', 'http://h:1/anthropic'],
    ['http://h:1/anthropic', 'http://h:1/anthropic'],
  ])('goes for %s to %s', (given, expected) => {
    expect(normalizeAnthropicBaseUrl(given)).toBe(expected);
  });

  test('goes to the path of the base URL', async () => {
    await ask(claudeOf(`${stub.origin}/anthropic/v1/`));

    expect(stub.requests[0]?.url).toBe('/anthropic/v1/messages');
  });

  test('limits the answer as asked, else to what the model surely takes', async () => {
    await ask(claudeOf(stub.origin), { ...text, maxOutputTokens: 9 });
    await ask(claudeOf(stub.origin, { name: 'claude-3-haiku-20240307' }));
    await ask(claudeOf(stub.origin, { name: 'claude-3-5-haiku-latest' }));

    expect(stub.requests.map(({ body }) => body.max_tokens)).toEqual([9, 4_096, 8_192]);
  });

  test("carries the sampling options by Anthropic's means, and leaves out what it has not", async () => {
    const request: PromptRequest = {
      ...text,
      temperature: 0.5,
      topP: 0.25,
      seed: 7,
      reasoningEffort: 'minimal',
      logprobs: true,
    };

    await ask(claudeOf(stub.origin), request);
    await ask(claudeOf(stub.origin), { ...text, temperature: 1.5, reasoningEffort: 'none' });

    expect(sent(0)).toMatchObject({
      temperature: 0.5,
      top_p: 0.25,
      output_config: { effort: 'low' },
    });
    expect(Object.keys(sent(0))).not.toEqual(expect.arrayContaining(['seed']));
    expect(Object.keys(sent(0))).not.toEqual(expect.arrayContaining(['logprobs']));
    expect(sent(1).temperature).toBe(1);
    expect(sent(1)).not.toHaveProperty('output_config');
  });

  test('takes everything from extraBody but messages, system, model and stream, and of output_config what it has', async () => {
    const extraBody = JSON.parse(
      '{"temperature":1,"top_k":5,"messages":[],"system":"x","model":"other","stream":true,"output_config":{"effort":"max"},"__proto__":{"polluted":1}}',
    );

    await ask(claudeOf(stub.origin), { ...json, temperature: 0, extraBody });

    expect(sent(0)).toMatchObject({
      model: 'claude-haiku-4-5',
      temperature: 1,
      top_k: 5,
      system: 'Answer briefly.',
      messages: [user],
      output_config: { effort: 'max', format: { type: 'json_schema' } },
    });
    expect(sent(0)).not.toHaveProperty('stream');
    expect(Object.getOwnPropertyDescriptor(sent(0), '__proto__')?.value).toEqual({ polluted: 1 });
  });

  test('has no turn of the model without a word', async () => {
    const messages: PromptRequest['messages'] = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: '' },
      { role: 'user', content: 'b' },
    ];

    await ask(claudeOf(stub.origin), { ...text, messages });

    expect(sent(0).messages).toEqual([messages[0], messages[2]]);
    expect(sent(0)).not.toHaveProperty('system');
  });
});

describe('a JSON answer', () => {
  const tool = { type: 'tool_use', id: 'toolu_1', name: 'label', input: { label: 'a' } };
  const called = { body: message([tool], { stop_reason: 'tool_use' }) };
  const loose: PromptRequest = {
    ...json,
    format: { type: 'json', name: 'label', schema, strict: false },
  };

  test('to a strict schema is asked for by the output format', async () => {
    stub.reply({ body: message('{"label":"a"}') });

    const answer = await ask(claudeOf(stub.origin), json);

    expect(answer.text).toBe('{"label":"a"}');
    expect(sent(0).output_config).toEqual({ format: { type: 'json_schema', schema } });
    expect(sent(0)).not.toHaveProperty('tools');
    expect(sent(0).system).toBe('Answer briefly.');
  });

  test.each([
    'output_config.format: is not supported by this model',
    'output_config: Extra inputs are not permitted',
    "'claude-3-haiku' does not support output format",
    'structured outputs are not available for this model',
  ])('is asked for by a tool where the model says “%s”, from then on at once', async (words) => {
    const claude = claudeOf(stub.origin);
    stub.reply(refusal(400, 'invalid_request_error', words), called);

    const answer = await ask(claude, json);
    await ask(claude, json);

    expect(answer.text).toBe('{"label":"a"}');
    expect(stub.requests).toHaveLength(3);
    for (const at of [1, 2]) {
      expect(sent(at)).not.toHaveProperty('output_config');
      expect(sent(at).tools).toEqual([
        { name: 'label', description: expect.any(String), input_schema: schema },
      ]);
      expect(sent(at).tool_choice).toEqual({
        type: 'tool',
        name: 'label',
        disable_parallel_tool_use: true,
      });
    }
  });

  test('is asked for by a tool where the model refuses this one schema; another goes by the format', async () => {
    const claude = claudeOf(stub.origin);
    const words = 'output_config.format.schema: Schema is too complex for compilation';
    stub.reply(refusal(400, 'invalid_request_error', words), called);
    const other = { ...schema, title: 'other' };

    await ask(claude, json);
    await ask(claude, json);
    await ask(claude, {
      ...json,
      format: { type: 'json', name: 'other', schema: other, strict: true },
    });

    expect(stub.requests.map(({ body }) => Object.hasOwn(body, 'tools'))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test.each([
    'Thinking may not be enabled when tool_choice forces tool use.',
    'tool_choice: is not supported by this model',
  ])('is asked for in words where the model says “%s”', async (words) => {
    const claude = claudeOf(stub.origin);
    stub.reply(refusal(400, 'invalid_request_error', words), { body: message('{"label":"a"}') });

    const answer = await ask(claude, loose);

    expect(answer.text).toBe('{"label":"a"}');
    expect(sent(0)).toHaveProperty('tools');
    expect(sent(1)).not.toHaveProperty('tools');
    expect(sent(1).system).toBe(
      `Answer briefly.\n\nAnswer with a JSON object that satisfies this JSON Schema: ${JSON.stringify(schema)}`,
    );
  });

  test('to a schema that is not strict is asked for by a tool with the schema as it is', async () => {
    stub.reply(called);
    const open = { type: 'object', properties: { n: { type: 'integer', minimum: 1 } } };

    await ask(claudeOf(stub.origin), {
      ...json,
      format: { type: 'json', name: 'x', schema: open, strict: false },
    });

    expect(sent(0).tools[0].input_schema).toEqual(open);
  });

  test('is asked for in words for any object, of which a schema would say nothing more', async () => {
    stub.reply({ body: message('{}') });
    const format = { type: 'json', name: 'x', schema: { type: 'object' }, strict: false } as const;

    await ask(claudeOf(stub.origin), { ...json, format });

    expect(sent(0)).not.toHaveProperty('tool_choice');
    expect(sent(0).system).toMatch(/\n\nAnswer with one JSON object and nothing else\.$/);
  });

  test.each([
    ['one of several', { type: 'object', properties: { a: {} }, anyOf: [{}] }, {}],
    ['a model that thinks', schema, { thinking: { type: 'adaptive' } }],
    ['tools of the caller', schema, { tools: [{ name: 'own', input_schema: { type: 'object' } }] }],
  ])('is asked for in words for %s', async (_, given, extraBody) => {
    stub.reply({ body: message('{}') });
    const format = { type: 'json', name: 'x', schema: given, strict: false } as const;

    await ask(claudeOf(stub.origin), { ...json, format, extraBody });

    expect(sent(0)).not.toHaveProperty('tool_choice');
    expect(sent(0).system).toContain(JSON.stringify(given));
  });

  test('is asked again no third time for the same refusal', async () => {
    stub.reply(refusal(400, 'invalid_request_error', 'output_config: no. tool_choice: no.'));

    const failure = await failureOf(ask(claudeOf(stub.origin), json));

    expect(failure.failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
    expect(stub.requests).toHaveLength(3);
  });
});

describe('a parameter that a model refuses', () => {
  test.each([
    ['temperature', { temperature: 0.2 }, '`temperature` is deprecated for this model.'],
    ['top_p', { topP: 0.2 }, 'top_p: Extra inputs are not permitted'],
    [
      'top_p',
      { temperature: 0.2, topP: 0.2 },
      '`temperature` and `top_p` cannot both be specified for this model. Please use only one.',
    ],
    [
      'output_config',
      { reasoningEffort: 'low' },
      'This model does not support the effort parameter.',
    ],
  ])('%s is dropped, and not sent again', async (name, options, words) => {
    const claude = claudeOf(stub.origin);
    stub.reply(refusal(400, 'invalid_request_error', words), { body: message('fine') });

    const answer = await ask(claude, { ...text, ...options });
    await ask(claude, { ...text, ...options });

    expect(answer.text).toBe('fine');
    expect(stub.requests).toHaveLength(3);
    expect(sent(0)).toHaveProperty(name);
    for (const at of [1, 2]) expect(sent(at)).not.toHaveProperty(name);
  });

  test('of the efforts, only the one that it refuses', async () => {
    const claude = claudeOf(stub.origin);
    const words = "output_config.effort: Input should be 'low', 'medium' or 'high'";
    stub.reply(refusal(400, 'invalid_request_error', words), { body: message('fine') });

    await ask(claude, { ...text, reasoningEffort: 'max' });
    await ask(claude, { ...text, reasoningEffort: 'high' });

    expect(sent(1)).not.toHaveProperty('output_config');
    expect(sent(2).output_config).toEqual({ effort: 'high' });
  });

  test('but is out of range is the item’s error', async () => {
    const words = 'temperature: Input should be less than or equal to 1';
    stub.reply(refusal(400, 'invalid_request_error', words));

    const { failure } = await failureOf(ask(claudeOf(stub.origin), { ...text, temperature: 0.5 }));

    expect(failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
    expect(stub.requests).toHaveLength(1);
  });
});

describe('a complete request', () => {
  const params = {
    model: 'claude-opus-5',
    max_tokens: 50,
    top_k: 3,
    system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
    stream: true,
  };

  test('in Anthropic’s shape goes as it is, but for the model and the stream', async () => {
    const request: BodyRequest = { body: params, dialect: 'anthropic' };

    const answer = await ask(claudeOf(stub.origin), request as never);

    const { stream: _, ...unchanged } = params;
    expect(sent(0)).toEqual({ ...unchanged, model: 'claude-haiku-4-5' });
    expect(answer.completion).toEqual(message('ok'));
  });

  test('has what the options set in its place', async () => {
    const request: BodyRequest = {
      body: { ...params, output_config: { format: { type: 'json_schema', schema } } },
      dialect: 'anthropic',
      maxOutputTokens: 7,
      temperature: 0.1,
      topP: 0.2,
      reasoningEffort: 'high',
      extraBody: { top_k: 9 },
    };

    await ask(claudeOf(stub.origin), request as never);

    expect(sent(0)).toMatchObject({
      max_tokens: 7,
      temperature: 0.1,
      top_p: 0.2,
      top_k: 9,
      output_config: { effort: 'high', format: { type: 'json_schema', schema } },
    });
  });

  test('in OpenAI’s shape is translated', async () => {
    const body = {
      model: 'gpt-4.1',
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Hi' },
      ],
    };

    await ask(claudeOf(stub.origin), { body } as never);

    expect(sent(0)).toEqual({
      model: 'claude-haiku-4-5',
      max_tokens: 8_192,
      system: 'Be kind.',
      messages: [{ role: 'user', content: 'Hi' }],
    });
  });

  test.each(['max_tokens', 'tool_use', 'refusal', 'pause_turn'])(
    'is answered by any whole message, also one that stopped for %s',
    async (stop_reason) => {
      stub.reply({ body: message('Half an', { stop_reason }) });

      const answer = await ask(claudeOf(stub.origin), {
        body: params,
        dialect: 'anthropic',
      } as never);

      expect(answer.text).toBe('Half an');
    },
  );

  test('is not sent again without what the model refuses', async () => {
    stub.reply(
      refusal(400, 'invalid_request_error', '`temperature` is deprecated for this model.'),
    );

    const request = { body: { ...params, temperature: 0.5 }, dialect: 'anthropic' };
    const { failure } = await failureOf(ask(claudeOf(stub.origin), request as never));

    expect(failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
    expect(stub.requests).toHaveLength(1);
  });
});

describe('an answer', () => {
  test('counts all input tokens, and costs what the price table says', async () => {
    const usage = {
      input_tokens: 100,
      cache_read_input_tokens: 900,
      cache_creation_input_tokens: 0,
      output_tokens: 50,
    };
    stub.reply({
      body: message(
        [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        { usage },
      ),
    });

    const answer = await ask(claudeOf(stub.origin));

    expect(answer).toMatchObject({
      text: 'ab',
      tokens: { inputTokens: 1_000, cachedInputTokens: 900, outputTokens: 50 },
      logprobs: null,
    });
    // 1 USD a million tokens in, a tenth of it from the cache, 5 USD out.
    expect(answer.costUsd).toBeCloseTo((100 * 1 + 900 * 0.1 + 50 * 5) / 1e6, 12);
  });

  test('that stopped at the end of the context window is truncated, and paid for', async () => {
    stub.reply({ body: message('Half', { stop_reason: 'model_context_window_exceeded' }) });

    const error = await failureOf(ask(claudeOf(stub.origin)));

    expect(error.failure).toEqual({ kind: 'item', code: 'TRUNCATED' });
    expect(error.tokens).toEqual({ ...noTokens, inputTokens: 10, outputTokens: 5 });
    expect(error.costUsd).toBeCloseTo((10 * 1 + 5 * 5) / 1e6, 12);
  });

  test('says why the model refused', async () => {
    const stop_details = { type: 'refusal', category: 'bio', explanation: 'Too dangerous.' };
    stub.reply({ body: message([], { stop_reason: 'refusal', stop_details }) });

    const error = await failureOf(ask(claudeOf(stub.origin)));

    expect(error.message).toBe('The model refused: Too dangerous.');
  });

  test('stands in another shape than thinking', async () => {
    stub.reply({
      body: message([
        { type: 'thinking', thinking: 'Hm.', signature: '' },
        { type: 'text', text: 'x\0y' },
      ]),
    });

    expect((await ask(claudeOf(stub.origin))).text).toBe('x\uFFFDy');
  });

  test.each<[string, StubReply]>([
    ['HTML', { body: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } }],
    ['nothing', { body: '' }],
    ['a list', { body: [] }],
    ['no content', { body: message(null) }],
    ['an empty content', { body: message([]) }],
    ['only thinking', { body: message([{ type: 'thinking', thinking: 'Hm.' }]) }],
    ['a pause', { body: message('x', { stop_reason: 'pause_turn' }) }],
    ['too much', { body: 'x'.repeat(21 * 1024 * 1024) }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:9/' }, body: '' }],
  ])('of %s may be asked for again', async (_, reply) => {
    stub.reply(reply);

    const { failure } = await failureOf(ask(claudeOf(stub.origin)));

    expect(failure).toMatchObject({ kind: 'later', code: 'PROVIDER_ERROR', counts: true });
  });
});
