/**
 * What becomes of a live call that fails: which kind it is, what is said of it, and what the gate
 * hears.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGate } from '../../../src/model/limits/gate.ts';
import type { Permit } from '../../../src/model/limits/permit.ts';
import type { RateHeaders } from '../../../src/model/limits/rate-headers.ts';
import { type StubProvider, startStubProvider } from '../../support/stub-provider.ts';
import { ask, failureOf, text } from '../support.ts';
import { claudeOf, message, refusal } from './support.ts';

let stub: StubProvider;
beforeEach(async () => {
  stub = await startStubProvider();
});
afterEach(() => stub.close());

const low = 'Your credit balance is too low to access the Anthropic API.';

describe('an error of Anthropic', () => {
  test.each([
    [400, 'invalid_request_error', low, { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    [
      400,
      'invalid_request_error',
      'prompt is too long: 9 tokens > 5 maximum',
      { kind: 'item', code: 'CONTEXT_TOO_LONG' },
    ],
  ])('%i %s is told for what it is', async (status, type, words, failure) => {
    stub.reply(refusal(status, type, words));

    const error = await failureOf(ask(claudeOf(stub.origin)));

    expect(error.failure).toMatchObject(failure);
    expect(error.message).toContain(String(status));
    expect(stub.requests).toHaveLength(1);
  });

  test.each([
    ['enforced_spend_limit_reached', 429, 'QUOTA_EXHAUSTED'],
    ['organization_on_hold', 400, 'INVALID_KEY'],
  ])('with the code %s stops the batch', async (error_code, status, code) => {
    stub.reply(refusal(status, 'invalid_request_error', 'no', { details: { error_code } }));

    const { failure } = await failureOf(ask(claudeOf(stub.origin)));

    expect(failure).toEqual({ kind: 'batch', code });
  });

  test('is shown without the key and without what was sent', async () => {
    const secret = 'a row of the caller that is longer than thirty-two characters';
    const words = `bad: ${secret}; key sk-test-1234567890abcdef, sk-ant-api03-abcdefghijklmnop`;
    stub.reply(refusal(400, 'invalid_request_error', words));
    const messages = [{ role: 'user' as const, content: secret }];

    const { message: own } = await failureOf(ask(claudeOf(stub.origin), { ...text, messages }));
    const request = { body: { system: [{ text: secret }], messages: [] }, dialect: 'anthropic' };
    const { message: whole } = await failureOf(ask(claudeOf(stub.origin), request as never));

    for (const shown of [own, whole]) {
      expect(shown).toContain('bad:');
      expect(shown).not.toContain('thirty-two');
      expect(shown).not.toContain('1234567890');
      expect(shown).not.toContain('abcdefghijklmnop');
    }
  });

  test.each([
    [502, '<html>Bad gateway</html>', 'PROVIDER_ERROR'],
    [500, '', 'PROVIDER_ERROR'],
    [503, { message: 'busy' }, 'PROVIDER_ERROR'],
    [529, 'null', 'PROVIDER_ERROR'],
  ])('of %i with the body %j may pass', async (status, body, code) => {
    stub.reply({ status, body });

    const { failure } = await failureOf(ask(claudeOf(stub.origin)));

    expect(failure).toMatchObject({ kind: 'later', code });
  });
});

describe('a call', () => {
  test('ends at its deadline where its answer trickles', async () => {
    stub.reply({ fault: 'trickle', body: message('x'.repeat(1_000)) });

    const error = await failureOf(ask(claudeOf(stub.origin, { timeoutMs: 150 })));

    expect(error.failure).toMatchObject({ kind: 'later', code: 'TIMEOUT' });
    await stub.requests[0]?.closed;
  });

  test('tells the gate of its limits and of what it used, whether it succeeds or not', async () => {
    const gate = createGate({ maxConcurrency: 4 });
    const observed: RateHeaders[] = [];
    const settled: number[] = [];
    const watched = (): Permit => {
      const permit = gate.tryEnter();
      if (!permit) throw new Error('a new gate is open');
      const { begin, observe, settle, release } = permit;
      return {
        get requests() {
          return permit.requests;
        },
        begin: begin.bind(permit),
        release: release.bind(permit),
        observe(headers) {
          observed.push(headers);
          observe.call(permit, headers);
        },
        settle(tokens) {
          settled.push(tokens);
          settle.call(permit, tokens);
        },
      };
    };
    const headers = {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-input-tokens-limit': '1000',
      'anthropic-ratelimit-input-tokens-remaining': '600',
      'anthropic-ratelimit-output-tokens-limit': '1000',
      'anthropic-ratelimit-output-tokens-remaining': '1000',
    };
    const claude = claudeOf(stub.origin);
    const usage = { input_tokens: 30, output_tokens: 10 };
    stub.reply(
      { body: message('ok', { usage }), headers },
      refusal(429, 'rate_limit_error', 'no', { headers }),
    );
    const signal = new AbortController().signal;

    await claude.send(text, { signal, permit: watched() });
    await failureOf(claude.send(text, { signal, permit: watched() }));

    expect(settled).toEqual([40]);
    const reading = {
      requests: { limit: 50, remaining: 49, resetMs: null },
      // Three quarters of such a call are input.
      tokens: { limit: 1_333, remaining: 800, resetMs: null },
    };
    expect(observed).toEqual([reading, reading]);
  });
});
