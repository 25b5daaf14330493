import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { normalizeBaseUrl } from '../../../src/model/endpoint.ts';
import type { PromptRequest } from '../../../src/model/request.ts';
import {
  completion,
  refusal,
  type StubProvider,
  startStubProvider,
} from '../../support/stub-provider.ts';
import { ask, failureOf, json, modelOf, schema, text } from '../support.ts';

let stub: StubProvider;
beforeEach(async () => {
  stub = await startStubProvider();
});
afterEach(() => stub.close());

const sent = (index: number) => stub.requests.at(index)?.body;

describe('the request', () => {
  test('has the key, the messages and the model, and nothing that was not asked for', async () => {
    const { model } = modelOf(stub.url);

    await ask(model);

    expect(stub.requests[0]?.url).toBe('/v1/chat/completions');
    expect(stub.requests[0]?.headers.authorization).toBe('Bearer sk-test-1234567890abcdef');
    expect(sent(0)).toEqual({ model: 'some-model', messages: text.messages });
  });

  test("has no Authorization without a key, and none of the package's own headers", async () => {
    const { model } = modelOf(stub.url, { apiKey: null });

    await ask(model);

    const names = Object.keys(stub.requests[0]?.headers ?? {});
    expect(names.sort()).toEqual(
      [
        'accept',
        'connection',
        'content-length',
        'content-type',
        'host',
        'user-agent',
        'x-winnow-hop',
      ].sort(),
    );
  });

  test('has the headers and the query of the configuration', async () => {
    const { model } = modelOf(`${stub.origin}/openai/deployments/mine/`, {
      apiKey: null,
      headers: { 'Api-Key': 'azure-secret' },
      query: { 'api-version': '2024-10-21' },
    });

    await ask(model);

    expect(stub.requests[0]?.url).toBe(
      '/openai/deployments/mine/chat/completions?api-version=2024-10-21',
    );
    expect(stub.requests[0]?.headers['api-key']).toBe('azure-secret');
  });

  test.each([
    ['http://h:1', 'http://h:1/v1'],
    ['http://h:1/', 'http://h:1/v1'],
    ['http://h:1/v1/', 'http://h:1/v1'],
    ['https://openrouter.ai/api/v1', 'https://openrouter.ai/api/v1'],
    ['http://h:1/v1/chat/completions', 'http://h:1/v1'],
  ])('goes for %s to %s', (given, expected) => {
    expect(normalizeBaseUrl(given)).toBe(expected);
  });

  test('asks for strict JSON by json_schema, and else by json_object with the schema in words', async () => {
    const { model } = modelOf(stub.url);

    await ask(model, json);
    await ask(model, { ...json, format: { type: 'json', name: 'x', schema, strict: false } });

    expect(sent(0).response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'label', strict: true, schema },
    });
    expect(sent(0).messages).toEqual(json.messages);
    expect(sent(1).response_format).toEqual({ type: 'json_object' });
    expect(sent(1).messages[0].content).toBe(
      `Answer briefly.\n\nAnswer with a JSON object that satisfies this JSON Schema: ${JSON.stringify(schema)}`,
    );
    expect(sent(1).messages[1]).toEqual(json.messages[1]);
  });

  test('carries the sampling options under their names in the protocol', async () => {
    const request: PromptRequest = {
      ...text,
      temperature: 0,
      topP: 0.5,
      seed: 7,
      reasoningEffort: 'low',
      maxOutputTokens: 9,
      logprobs: true,
    };

    await ask(modelOf(stub.url).model, request);
    await ask(modelOf(stub.url, { name: 'openai' }).model, request);

    const common = { temperature: 0, top_p: 0.5, seed: 7, reasoning_effort: 'low', logprobs: true };
    expect(sent(0)).toMatchObject({ ...common, max_tokens: 9 });
    expect(sent(0)).not.toHaveProperty('max_completion_tokens');
    expect(sent(1)).toMatchObject({ ...common, max_completion_tokens: 9 });
    expect(sent(1)).not.toHaveProperty('max_tokens');
  });

  test('takes everything from extraBody but messages, model and stream', async () => {
    const extraBody = JSON.parse(
      '{"temperature":1,"top_k":5,"messages":[],"model":"other","stream":true,"stream_options":{},"__proto__":{"polluted":1}}',
    );

    const answer = await ask(modelOf(stub.url).model, { ...text, temperature: 0, extraBody });

    expect(answer.text).toBe('ok');
    expect(sent(0)).toMatchObject({ model: 'some-model', temperature: 1, top_k: 5 });
    expect(sent(0).messages).toEqual(text.messages);
    expect(sent(0)).not.toHaveProperty('stream');
    expect(sent(0)).not.toHaveProperty('stream_options');
    expect(Object.getOwnPropertyDescriptor(sent(0), '__proto__')?.value).toEqual({ polluted: 1 });
  });
});

test('a complete request in Anthropic’s shape is translated', async () => {
  const body = {
    model: 'claude-opus-5',
    max_tokens: 50,
    top_k: 3,
    system: 'Be kind.',
    stop_sequences: ['END'],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
  };
  const request = { body, dialect: 'anthropic' };

  await ask(modelOf(stub.url).model, request as never);
  await ask(modelOf(stub.url, { name: 'openai' }).model, request as never);

  const expected = {
    model: 'some-model',
    messages: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hi' },
    ],
    stop: ['END'],
  };
  expect(sent(0)).toEqual({ ...expected, max_tokens: 50 });
  expect(sent(1)).toEqual({ ...expected, max_completion_tokens: 50 });
});

describe('a parameter that a model refuses', () => {
  test.each([
    ['temperature', { temperature: 0.2 }, { param: 'temperature', code: 'unsupported_value' }],
    ['top_p', { topP: 0.2 }, { param: 'top_p', code: 'unsupported_parameter' }],
    ['seed', { seed: 1 }, { message: "Unsupported parameter: 'seed'" }],
    [
      'reasoning_effort',
      { reasoningEffort: 'low' },
      { message: 'Unrecognized request argument supplied: reasoning_effort' },
    ],
    [
      'logprobs',
      { logprobs: true },
      { message: "'logprobs' is not supported with this model.", param: 'logprobs' },
    ],
  ])('%s is dropped, and not sent again', async (name, options, error) => {
    const { model } = modelOf(stub.url);
    stub.reply(refusal(400, error), { body: completion('fine') });

    const answers = [
      await ask(model, { ...text, ...options }),
      await ask(model, { ...text, ...options }),
    ];

    expect(answers.map((answer) => answer.text)).toEqual(['fine', 'fine']);
    expect(stub.requests).toHaveLength(3);
    expect(sent(0)).toHaveProperty(name);
    expect(sent(1)).not.toHaveProperty(name);
    expect(sent(2)).not.toHaveProperty(name);
  });

  test('log-probabilities are dropped after the 403 that OpenAI answers', async () => {
    stub.reply(
      refusal(403, { message: 'You are not allowed to request logprobs from this model' }),
      { body: completion('fine') },
    );

    const answer = await ask(modelOf(stub.url).model, { ...text, logprobs: true });

    expect(answer.text).toBe('fine');
  });

  test("is found in FastAPI's shape", async () => {
    stub.reply(
      {
        status: 422,
        body: { detail: [{ type: 'extra_forbidden', loc: ['body', 'seed'], msg: 'Extra inputs' }] },
      },
      { body: completion('fine') },
    );

    await ask(modelOf(stub.url).model, { ...text, seed: 1 });

    expect(sent(1)).not.toHaveProperty('seed');
  });

  test('several are dropped one after the other', async () => {
    stub.reply(({ body }) => {
      for (const param of ['temperature', 'top_p', 'logprobs']) {
        if (param in body) return refusal(400, { param, code: 'unsupported_parameter' });
      }
      return { body: completion('fine') };
    });

    const answer = await ask(modelOf(stub.url).model, {
      ...text,
      temperature: 0,
      topP: 1,
      logprobs: true,
    });

    expect(answer.text).toBe('fine');
    expect(stub.requests).toHaveLength(4);
  });

  test('a refused value does not keep other values away', async () => {
    const { model } = modelOf(stub.url);
    stub.reply(refusal(400, { param: 'reasoning_effort', code: 'unsupported_value' }), {
      body: completion('fine'),
    });

    await ask(model, { ...text, reasoningEffort: 'minimal' });
    await ask(model, { ...text, reasoningEffort: 'high' });

    expect(sent(1)).not.toHaveProperty('reasoning_effort');
    expect(sent(2).reasoning_effort).toBe('high');
  });

  test('is not asked for ever, whatever the server goes on refusing', async () => {
    stub.reply(refusal(400, { param: 'temperature', code: 'unsupported_parameter' }));

    const failure = await failureOf(ask(modelOf(stub.url).model, { ...text, temperature: 0 }));

    expect(failure.failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
    expect(stub.requests).toHaveLength(2);
  });

  test.each([
    [{ temperature: 5 }, { param: 'temperature', code: 'decimal_above_max_value' }],
    [{ temperature: 5 }, { param: 'temperature', message: 'temperature must be at most 2' }],
    [{ extraBody: { top_k: 1 } }, { param: 'top_k', code: 'unsupported_parameter' }],
    [
      { extraBody: { seed: 1 }, seed: 2 },
      { param: 'seed', code: 'unsupported_parameter' },
    ],
    [{}, { param: 'messages', code: 'unsupported_value' }],
    [{ maxOutputTokens: 99_999 }, { param: 'max_tokens', message: 'max_tokens is too large' }],
  ])('%j with %j ends the item', async (options, error) => {
    stub.reply(refusal(400, error));

    const failure = await failureOf(ask(modelOf(stub.url).model, { ...text, ...options }));

    expect(failure.failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
    expect(stub.requests).toHaveLength(1);
  });

  test.each([
    ['stub', 'max_tokens', 'max_completion_tokens'],
    ['openai', 'max_completion_tokens', 'max_tokens'],
  ])('the output limit of %s is renamed from %s to %s, once', async (name, before, after) => {
    const { model } = modelOf(stub.url, { name });
    const unsupported = refusal(400, {
      param: before,
      code: 'unsupported_parameter',
      message: `Unsupported parameter: '${before}'. Use '${after}' instead.`,
    });
    stub.reply(unsupported, { body: completion('fine') });

    await ask(model, { ...text, maxOutputTokens: 9 });
    await ask(model, { ...text, maxOutputTokens: 9 });

    expect(sent(0)).toHaveProperty(before, 9);
    expect(sent(1)).toHaveProperty(after, 9);
    expect(sent(1)).not.toHaveProperty(before);
    expect(sent(2)).toHaveProperty(after, 9);
    expect(stub.requests).toHaveLength(3);

    stub.reply(refusal(400, { param: after, code: 'unsupported_parameter' }));
    const failure = await failureOf(ask(model, { ...text, maxOutputTokens: 9 }));
    expect(failure.failure.code).toBe('INVALID_REQUEST');
    expect(stub.requests).toHaveLength(4);
  });

  test('json_schema gives way to json_object, and that to words, for good', async () => {
    const { model } = modelOf(stub.url);
    stub.reply(
      refusal(400, { message: "'response_format' of type 'json_schema' is not supported" }),
      refusal(400, { param: 'response_format', message: 'json_object is unavailable' }),
      { body: completion('{}') },
    );

    await ask(model, json);
    await ask(model, json);

    expect(stub.requests.map(({ body }) => body.response_format?.type)).toEqual([
      'json_schema',
      'json_object',
      undefined,
      undefined,
    ]);
    expect(sent(3).messages[0].content).toContain('JSON Schema');
  });

  test.each([
    { param: 'response_format', message: "Invalid schema for response_format 'label'" },
    { param: 'response_format.json_schema.name', code: 'invalid_value' },
    { code: 'invalid_json_schema' },
  ])('a schema that is refused for what it says ends the item (%j)', async (error) => {
    stub.reply(refusal(400, error));

    const failure = await failureOf(ask(modelOf(stub.url).model, json));

    expect(failure.failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
    expect(stub.requests).toHaveLength(1);
  });

  test.each([
    { param: 'response_format.type', code: 'invalid_value' },
    { param: 'response_format.json_schema', code: 'unknown_parameter' },
    { message: 'This model does not support response format `json_schema`.' },
    { message: 'This response_format type is unavailable now' },
  ])('json_schema that is not known gives way (%j)', async (error) => {
    stub.reply(refusal(400, error), { body: completion('{}') });

    await ask(modelOf(stub.url).model, json);

    expect(sent(1).response_format).toEqual({ type: 'json_object' });
  });

  test('what calls under way at once learn together needs no more than one more request each', async () => {
    const { model } = modelOf(stub.url);
    stub.reply(({ body }) =>
      body.response_format?.type === 'json_schema'
        ? refusal(400, { param: 'response_format' })
        : { body: completion('{}') },
    );

    await Promise.all(Array.from({ length: 8 }, () => ask(model, json)));

    expect(stub.requests).toHaveLength(16);
    expect(sent(15).response_format).toEqual({ type: 'json_object' });
  });
});
