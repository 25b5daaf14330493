import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noTokens } from '../../src/core/usage.ts';
import { maxBodyBytes } from '../../src/model/thin-fetch.ts';
import { completion, type StubProvider, startStubProvider } from '../support/stub-provider.ts';
import { ask, failureOf, modelOf } from './support.ts';

let stub: StubProvider;
beforeEach(async () => {
  stub = await startStubProvider();
});
afterEach(() => stub.close());

const tokens = { ...noTokens, inputTokens: 10, outputTokens: 5 };
const unusable = { kind: 'later', code: 'PROVIDER_ERROR', retryAfterMs: null, counts: true };

describe('an answer', () => {
  test('has its text, tokens, cost and log-probabilities', async () => {
    const body = completion('billing', {
      usage: {
        prompt_tokens: 1_000,
        completion_tokens: 100,
        prompt_tokens_details: { cached_tokens: 500 },
      },
    });
    const logprobs = {
      content: [{ token: 'billing', logprob: -0.25, bytes: [1], top_logprobs: [] }],
    };
    (body as any).choices[0].logprobs = logprobs;
    stub.reply({ body });

    const answer = await ask(
      modelOf(stub.url, { name: 'openai', id: 'openai/gpt-4.1-mini' }).model,
    );

    expect(answer).toEqual({
      text: 'billing',
      completion: body,
      tokens: { ...noTokens, inputTokens: 1_000, cachedInputTokens: 500, outputTokens: 100 },
      costUsd: expect.closeTo((500 * 0.4 + 500 * 0.1 + 100 * 1.6) / 1e6, 12),
      logprobs: [{ token: 'billing', logprob: -0.25 }],
    });
  });

  test('of a model without a known price costs null, not 0', async () => {
    expect((await ask(modelOf(stub.url).model)).costUsd).toBeNull();
  });

  test.each([
    [
      'text parts',
      completion([
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ]),
      'ab',
    ],
    ['NUL', completion('a\u0000b'), 'a\uFFFDb'],
    ['a lone surrogate', completion('a\ud800b'), 'a\uFFFDb'],
    ['a surrogate pair', completion('a😀b'), 'a😀b'],
    ['a byte order mark', `\uFEFF${JSON.stringify(completion('a'))}`, 'a'],
    ['another finish_reason', completion('a', { finish: 'eos' }), 'a'],
    ['an empty refusal', completion('a', { refusal: '' }), 'a'],
  ])('with %s is taken', async (_, body, expected) => {
    stub.reply({ body });

    expect((await ask(modelOf(stub.url).model)).text).toBe(expected);
  });

  test('that is not called JSON is taken when it is JSON', async () => {
    stub.reply({ headers: { 'content-type': 'text/plain' }, body: completion('a') });

    expect((await ask(modelOf(stub.url).model)).text).toBe('a');
  });

  test.each([undefined, null, 'many', { prompt_tokens: 'x' }, { prompt_tokens: Number.NaN }, []])(
    'with the usage %j counts nothing and has no known cost',
    async (usage) => {
      stub.reply({ body: { ...completion('a'), usage } });
      const { model } = modelOf(stub.url, { name: 'openai', id: 'openai/gpt-4.1' });

      const answer = await ask(model);

      expect(answer.tokens).toEqual(noTokens);
      expect(answer.costUsd).toBeNull();
    },
  );

  test.each([
    [
      'more cached than read',
      { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 9 } },
      [5, 5, 1],
    ],
    [
      "xAI's thinking, counted apart",
      {
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
      [32, 0, 103, 94],
    ],
    [
      'thinking within the completion',
      {
        prompt_tokens: 32,
        completion_tokens: 103,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
      [32, 0, 103, 94],
    ],
    ['negative counts', { prompt_tokens: -5, completion_tokens: 1 }, [0, 0, 1]],
    ['no completion tokens', { prompt_tokens: 5 }, [5, 0, 0]],
    [
      "DeepSeek's cache",
      { prompt_tokens: 5, completion_tokens: 1, prompt_cache_hit_tokens: 2 },
      [5, 2, 1],
    ],
  ])('with %s has counts that fit', async (_, usage, [input, cached, output, reasoning = 0]) => {
    stub.reply({ body: completion('a', { usage }) });

    expect((await ask(modelOf(stub.url).model)).tokens).toEqual({
      ...noTokens,
      inputTokens: input,
      cachedInputTokens: cached,
      outputTokens: output,
      reasoningTokens: reasoning,
    });
  });
});

describe('a billed answer that is none', () => {
  test.each([
    ['content_filter', completion('', { finish: 'content_filter' }), 'CONTENT_FILTERED'],
    ['tool call', completion(null, { finish: 'tool_calls', tool_calls: [{}] }), 'INVALID_OUTPUT'],
  ])('%s ends the item, and is paid for', async (_, body, code) => {
    stub.reply({ body });
    const { model } = modelOf(stub.url, { name: 'openai', id: 'openai/gpt-4.1-mini' });

    const failure = await failureOf(ask(model));

    expect(failure.failure).toEqual({ kind: 'item', code });
    expect(failure.tokens).toEqual(tokens);
    expect(failure.costUsd).toBeCloseTo((10 * 0.4 + 5 * 1.6) / 1e6, 12);
  });
});

describe('a body that is no answer', () => {
  test.each([
    ['HTML', '<html><body>Bad gateway</body></html>', 'text/html'],
    ['HTML that is called JSON', '<html></html>', 'application/json'],
    ['truncated JSON', JSON.stringify(completion('a')).slice(0, 60), 'application/json'],
    ['nothing', '', 'application/json'],
    ['an empty text', '', 'text/plain'],
    ['garbage bytes', Buffer.from([0xff, 0xfe, 0x00, 0x80]), 'application/octet-stream'],
    ['null', 'null', 'application/json'],
    ['a number', '42', 'application/json'],
    ['an array', '[]', 'application/json'],
    ['an object', '{}', 'application/json'],
    ['an error', { error: { message: 'upstream' } }, 'application/json'],
    ['an error as text', { error: 'upstream' }, 'application/json'],
    ['no choice', { ...completion('a'), choices: [] }, 'application/json'],
    ['choices that are no list', { ...completion('a'), choices: 'a' }, 'application/json'],
    ['a choice that is null', { choices: [null] }, 'application/json'],
    ['a choice without message', { choices: [{}] }, 'application/json'],
    ['null content', completion(null), 'application/json'],
    ['content that is a number', completion(7), 'application/json'],
    ['parts without text', completion([{ type: 'image' }]), 'application/json'],
    ['a broken off answer', completion('a', { finish: 'error' }), 'application/json'],
    ['an event stream', 'data: {"choices":[]}\n\n', 'text/event-stream'],
  ])('%s is a failure that may pass', async (_, body, type) => {
    stub.reply({ body, headers: { 'content-type': type } });

    const failure = await failureOf(ask(modelOf(stub.url).model));

    expect(failure.failure).toEqual(unusable);
    expect(failure.message).not.toMatch(/html|unexpected token|gateway/i);
  });

  test('an answer without content is still paid for', async () => {
    stub.reply({ body: completion(null) });

    expect((await failureOf(ask(modelOf(stub.url).model))).tokens).toEqual(tokens);
  });

  test.each([
    [{ code: 429, message: 'slow' }, 'RATE_LIMITED'],
    [{ code: 502, message: 'upstream' }, 'PROVIDER_ERROR'],
    [{ code: 'insufficient_quota' }, 'QUOTA_EXHAUSTED'],
    [{ code: 'context_length_exceeded' }, 'CONTEXT_TOO_LONG'],
  ])('the error %j with status 200 is told apart by its code', async (error, code) => {
    stub.reply({ body: { error } });

    expect((await failureOf(ask(modelOf(stub.url).model))).failure.code).toBe(code);
  });

  test.each([
    ['announced', false],
    ['unannounced', true],
  ])('more than 20 MB, %s, are not read', async (_, chunked) => {
    stub.reply({ body: JSON.stringify(completion('x'.repeat(maxBodyBytes))), chunked });

    const failure = await failureOf(ask(modelOf(stub.url).model));

    expect(failure.failure).toEqual(unusable);
    expect(failure.message).toContain('too large');
    await stub.requests[0]?.closed;
  });
});
