import { expect, test } from 'vitest';
import { noTokens, type Tokens } from '../../../src/core/usage.ts';
import { readAnthropicRateHeaders } from '../../../src/model/anthropic/rate-headers.ts';

const date = 'Thu, 21 Aug 2025 12:41:00 GMT';
const nowMs = Date.parse('2026-01-01T00:00:00Z');

function read(headers: Record<string, string>, mix: Partial<Tokens> | null = null) {
  return readAnthropicRateHeaders((name) => headers[name] ?? null, {
    mix: mix && { ...noTokens, ...mix },
    nowMs,
  });
}

function limit(name: string, [all, remaining]: [number, number], reset?: string) {
  return {
    [`anthropic-ratelimit-${name}-limit`]: String(all),
    [`anthropic-ratelimit-${name}-remaining`]: String(remaining),
    ...(reset ? { [`anthropic-ratelimit-${name}-reset`]: reset } : {}),
  };
}

test('an answer without them says nothing', () => {
  expect(
    read({ 'x-ratelimit-limit-requests': '5', 'x-ratelimit-remaining-requests': '1' }),
  ).toBeNull();
});

test('requests are read with their reset, by the server’s own clock', () => {
  expect(read({ date, ...limit('requests', [1_000, 999], '2025-08-21T12:41:02Z') })).toEqual({
    requests: { limit: 1_000, remaining: 999, resetMs: 2_000 },
    tokens: null,
  });
  expect(read(limit('requests', [50, 0], '2026-01-01T00:00:30Z'))?.requests?.resetMs).toBe(30_000);
});

test('input and output tokens are told as the sum that each allows for calls of this mix; the scarcer one counts', () => {
  const headers = {
    ...limit('input-tokens', [80_000, 40_000]),
    ...limit('output-tokens', [16_000, 16_000]),
  };

  // 90 % input: 40,000 of it are 44,444 tokens in all; 10 % output: 16,000 of it are 160,000.
  expect(
    read(headers, { inputTokens: 900, cachedInputTokens: 0, outputTokens: 100 })?.tokens,
  ).toEqual({
    limit: 88_889,
    remaining: 44_444,
    resetMs: null,
  });
  // 40 % output: 40,000.
  expect(
    read(headers, { inputTokens: 600, cachedInputTokens: 0, outputTokens: 400 })?.tokens,
  ).toEqual({ limit: 40_000, remaining: 40_000, resetMs: null });
  // What comes from the cache counts against no limit.
  expect(
    read(headers, { inputTokens: 900, cachedInputTokens: 900, outputTokens: 100 })?.tokens,
  ).toEqual({ limit: 160_000, remaining: 160_000, resetMs: null });
});

test('the limit on both together counts where it is scarcer', () => {
  const headers = {
    ...limit('input-tokens', [80_000, 80_000]),
    ...limit('output-tokens', [16_000, 16_000]),
    ...limit('tokens', [96_000, 1_000]),
  };

  expect(read(headers)?.tokens).toEqual({ limit: 96_000, remaining: 1_000, resetMs: null });
});

test.each([
  [{ 'anthropic-ratelimit-requests-limit': '50' }],
  [{ 'anthropic-ratelimit-requests-limit': 'x', 'anthropic-ratelimit-requests-remaining': '1' }],
  [{ 'anthropic-ratelimit-requests-limit': '0', 'anthropic-ratelimit-requests-remaining': '0' }],
  [{ 'anthropic-ratelimit-requests-limit': '1e9', 'anthropic-ratelimit-requests-remaining': '1' }],
])('%o is no limit', (headers) => {
  expect(read(headers)).toBeNull();
});

test.each(['garbage', '2020-01-01T00:00:00Z', '2030-01-01T00:00:00Z'])(
  'a reset of %s says nothing',
  (reset) => {
    expect(read(limit('requests', [50, 60], reset))?.requests).toEqual({
      limit: 50,
      remaining: 50,
      resetMs: null,
    });
  },
);
