import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ModelError } from '../../src/model/model-error.ts';
import {
  completion,
  refusal,
  type StubProvider,
  startStubProvider,
} from '../support/stub-provider.ts';
import { ask, failureOf, modelOf, text } from './support.ts';

let stub: StubProvider;
beforeEach(async () => {
  stub = await startStubProvider();
});
afterEach(() => stub.close());

const rateLimited = { kind: 'later', code: 'RATE_LIMITED', retryAfterMs: null, counts: false };
const providerError = { kind: 'later', code: 'PROVIDER_ERROR', retryAfterMs: null, counts: true };
const timeout = { kind: 'later', code: 'TIMEOUT', retryAfterMs: null, counts: true };

describe('an error answer', () => {
  test.each([
    [429, { code: 'rate_limit_exceeded', type: 'requests' }, rateLimited],
    [408, {}, timeout],
    [409, {}, providerError],
    [302, {}, providerError],
    [422, {}, { kind: 'item', code: 'INVALID_REQUEST' }],
    [418, {}, { kind: 'item', code: 'INVALID_REQUEST' }],
    [400, { code: 'context_length_exceeded' }, { kind: 'item', code: 'CONTEXT_TOO_LONG' }],
    [
      400,
      { code: 400, message: "This model's maximum context length is 4096 tokens" },
      { kind: 'item', code: 'CONTEXT_TOO_LONG' },
    ],
    [
      400,
      { code: 'other', message: 'maximum context length' },
      { kind: 'item', code: 'INVALID_REQUEST' },
    ],
    [
      429,
      { code: 'rate_limit_exceeded', type: 'tokens', message: 'Request too large for gpt-4.1' },
      { kind: 'item', code: 'CONTEXT_TOO_LONG' },
    ],
    [400, { code: 'content_policy_violation' }, { kind: 'item', code: 'CONTENT_FILTERED' }],
    [400, { code: 'content_filter' }, { kind: 'item', code: 'CONTENT_FILTERED' }],
    [401, { code: 'invalid_api_key' }, { kind: 'batch', code: 'INVALID_KEY' }],
    [404, { code: 'model_not_found' }, { kind: 'batch', code: 'UNKNOWN_MODEL' }],
    [403, { code: 'model_not_found' }, { kind: 'batch', code: 'UNKNOWN_MODEL' }],
    [400, { type: 'invalid_model', code: '1500' }, { kind: 'batch', code: 'UNKNOWN_MODEL' }],
    [429, { code: 'insufficient_quota' }, { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    [403, { code: 'billing_hard_limit_reached' }, { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    [400, { type: 'insufficient_quota' }, { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    [
      402,
      { code: 402, message: 'Insufficient credits' },
      { kind: 'batch', code: 'QUOTA_EXHAUSTED' },
    ],
    [429, { type: 'insufficient_quota' }, { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    [429, { code: 'billing_not_active' }, { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    [400, { code: 'blocked_api_access' }, { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    [400, { type: 'budget_exceeded', code: '400' }, { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    [403, { code: 'unsupported_country_region_territory' }, { kind: 'batch', code: 'INVALID_KEY' }],
    [
      400,
      { code: 400, message: 'API key not valid. Please pass a valid API key.' },
      { kind: 'batch', code: 'INVALID_KEY' },
    ],
    [
      400,
      { code: 'Client specified an invalid argument', message: 'Incorrect API key provided: xa' },
      { kind: 'batch', code: 'INVALID_KEY' },
    ],
    [
      404,
      { message: 'model "x" not found, try pulling it first', type: 'api_error' },
      { kind: 'batch', code: 'UNKNOWN_MODEL' },
    ],
    [
      404,
      { message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 },
      { kind: 'batch', code: 'UNKNOWN_MODEL' },
    ],
    [404, { code: 'DeploymentNotFound' }, { kind: 'batch', code: 'UNKNOWN_MODEL' }],
    [
      400,
      { code: 400, message: 'x/y is not a valid model ID' },
      { kind: 'batch', code: 'UNKNOWN_MODEL' },
    ],
    [
      403,
      { code: 403, message: 'Your input was moderated', metadata: { reasons: ['violence'] } },
      { kind: 'item', code: 'CONTENT_FILTERED' },
    ],
    [
      403,
      { code: 403, message: 'Your input was flagged for "violence"' },
      { kind: 'item', code: 'CONTENT_FILTERED' },
    ],
    [401, { code: 'content_filter' }, { kind: 'item', code: 'CONTENT_FILTERED' }],
    [
      400,
      { code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } },
      { kind: 'item', code: 'CONTENT_FILTERED' },
    ],
  ])('%i %j is %j', async (status, error, expected) => {
    stub.reply(refusal(status, error));

    const failure = await failureOf(ask(modelOf(stub.url).model));

    expect(failure.failure).toEqual(expected);
    expect(stub.requests).toHaveLength(1);
  });

  test('retry-after-ms is passed on with a 503', async () => {
    stub.reply(refusal(503, {}, { 'retry-after-ms': '300' }));

    const { failure } = await failureOf(ask(modelOf(stub.url).model));

    expect(failure).toEqual({ ...providerError, retryAfterMs: 300 });
  });

  test.each([
    ['300 ms', { 'retry-after-ms': '300' }, 300],
    ['a second', { 'retry-after': '1' }, 1_000],
  ])('keeps every call through the gate off for %s', async (_, headers, windowMs) => {
    const arrivals: number[] = [];
    stub.reply(
      () => {
        arrivals.push(performance.now());
        return refusal(429, {}, headers as Record<string, string>);
      },
      () => {
        arrivals.push(performance.now());
        return { body: completion('fine') };
      },
    );
    const { model } = modelOf(stub.url, { limits: { concurrency: 1 } });
    const { signal } = new AbortController();
    const call = async (): Promise<string> => {
      const permit = await model.gate.enter(signal);
      try {
        const answer = await ask(model);
        permit.release('ok');
        return answer.text;
      } catch (error) {
        const failure = error instanceof ModelError ? error.failure : null;
        if (failure?.kind !== 'later') throw error;
        permit.release('rate_limited', { retryAfterMs: failure.retryAfterMs });
        return call();
      }
    };

    const answers = await Promise.all(Array.from({ length: 6 }, call));

    expect(answers).toEqual(Array(6).fill('fine'));
    expect(arrivals).toHaveLength(7);
    const [limited = 0, next = 0] = arrivals;
    expect(next - limited).toBeGreaterThanOrEqual(windowMs - 1);
  });

  test.each([
    ['HTML', '<html>502 Bad gateway</html>'],
    ['nothing', ''],
    ['a text', { error: 'model is loading' }],
    ['its own shape', { object: 'error', message: 'loading' }],
    ['a list', [{ error: { message: 'loading' } }]],
  ])('with %s for a body is told apart by its status', async (_, body) => {
    stub.reply({ status: 503, body });

    expect((await failureOf(ask(modelOf(stub.url).model))).failure).toEqual(providerError);
  });

  test.each([
    [{ error: 'prompt is odd' }],
    [{ object: 'error', message: 'prompt is odd', code: 400 }],
    [{ detail: 'prompt is odd' }],
    [[{ error: { message: 'prompt is odd' } }]],
  ])('%j is quoted', async (body) => {
    stub.reply({ status: 400, body });

    const failure = await failureOf(ask(modelOf(stub.url).model));

    expect(failure.message).toBe('stub refused the request (400): prompt is odd');
  });

  test('that forbids a country does not blame the key', async () => {
    const error = { code: 'unsupported_country_region_territory', message: 'Not from here' };
    stub.reply(refusal(403, error));

    const failure = await failureOf(ask(modelOf(stub.url).model));

    expect(failure.message).toBe(
      'stub refused access (403 unsupported_country_region_territory): Not from here',
    );
  });
});

describe('what an error says', () => {
  const key = 'sk-test-1234567890abcdef';

  test.each([
    [401, `Incorrect API key provided: ${key}.`],
    [403, `The key ${key} has no access`],
    [400, `Authorization: Bearer ${key} is odd`],
    [500, `sk-tes*************cdef failed, header-secret too, and gsk_abcdefghijkl`],
  ])('never holds a key (%i %s)', async (status, message) => {
    stub.reply(refusal(status, { message }));
    const { model } = modelOf(stub.url, { headers: { 'x-token': 'header-secret' } });

    const failure = await failureOf(ask(model));

    const everything = `${failure.message} ${failure.stack} ${JSON.stringify(failure)} ${String(failure.cause)}`;
    expect(everything).not.toMatch(/sk-t|1234567890|cdef|header-secret|gsk_/);
  });

  test('is one line of at most 300 characters of the provider, and no row', async () => {
    const row = 'My card 1234 was stolen in Vienna on Tuesday, and nobody answers the phone.';
    const message = `Cannot read: ${row}\n${'and so on '.repeat(500)}`;
    stub.reply(refusal(400, { message }));
    const request = { ...text, messages: [{ role: 'user' as const, content: row }] };

    const failure = await failureOf(ask(modelOf(stub.url).model, request));

    expect(failure.message.length).toBeLessThan(360);
    expect(failure.message).toMatch(/^stub refused the request \(400\): Cannot read: \[…\]/);
    expect(failure.message).not.toMatch(/Vienna|\n/);
  });
});

describe('the deadline', () => {
  test('ends a call whose answer trickles, and its connection', async () => {
    stub.reply({ fault: 'trickle', body: completion('a'.repeat(500)) });
    const { model } = modelOf(stub.url, { timeoutMs: 150 });

    const failure = await failureOf(ask(model));

    expect(failure.failure).toEqual(timeout);
    await stub.requests[0]?.closed;
  });

  test('covers a request that is sent again too', async () => {
    stub.reply(
      { ...refusal(400, { param: 'seed', code: 'unsupported_parameter' }), delayMs: 900 },
      { delayMs: 900 },
    );
    const { model } = modelOf(stub.url, { timeoutMs: 1_500 });

    const failure = await failureOf(ask(model, { ...text, seed: 1 }));

    expect(failure.failure).toEqual(timeout);
    expect(stub.requests).toHaveLength(2);
  });

  test('covers an error answer whose body stalls', async () => {
    stub.reply({ status: 400, fault: 'body', body: { error: { message: 'a' } } });
    const { model } = modelOf(stub.url, { timeoutMs: 150 });

    const failure = await failureOf(ask(model));

    expect(failure.failure).toEqual(timeout);
    expect(failure.isFree).toBe(false);
  });
});

describe('a connection', () => {
  test('that is refused says so, without the address of anything but the provider', async () => {
    const { model } = modelOf(stub.url);
    await stub.close();
    stub = await startStubProvider();

    const failure = await failureOf(ask(model));

    expect(failure.failure).toEqual(providerError);
    expect(failure.message).toBe('The connection to stub failed (ECONNREFUSED).');
    expect(failure.isFree).toBe(true);
  });

  test('is kept and used again', async () => {
    const { model } = modelOf(stub.url);

    for (let call = 0; call < 20; call += 1) await ask(model);

    // A call that follows at once finds the first connection not yet given back.
    expect(stub.acceptedSockets).toBeLessThanOrEqual(2);
  });
});

describe('an abort', () => {
  test('before the call sends nothing', async () => {
    const reason = new Error('too late');

    await expect(ask(modelOf(stub.url).model, text, AbortSignal.abort(reason))).rejects.toBe(
      reason,
    );

    expect(stub.requests).toHaveLength(0);
  });

  test('leaves no listener on a signal that many calls share', async () => {
    const { signal } = new AbortController();
    const { model } = modelOf(stub.url);

    await Promise.all(Array.from({ length: 30 }, () => ask(model, text, signal)));

    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('by closing the providers ends the calls in flight', async () => {
    stub.reply({ fault: 'headers' });
    const { model, providers } = modelOf(stub.url);
    const failing = failureOf(ask(model));
    await stub.received(1);

    await providers.close();

    expect((await failing).failure).toEqual(providerError);
    await stub.requests[0]?.closed;
  });
});
