import { expect, test } from 'vitest';
import { parseDurationMs, readRateHeaders } from '../../../src/model/limits/rate-headers.ts';

test.each([
  ['1s', 1_000],
  ['6m0s', 360_000],
  ['20ms', 20],
  ['1.5s', 1_500],
  ['2m59.56s', 179_560],
  ['1h2m3s', 3_723_000],
  ['7.66s', 7_660],
  ['1d', 86_400_000],
  ['12', 12_000],
  ['0.25', 250],
])('%s is %i ms', (text, expected) => {
  expect(parseDurationMs(text)).toBeCloseTo(expected, 6);
});

test.each([
  '',
  '0s',
  '0',
  '-1s',
  'soon',
  '1e9s',
  's',
  '5 s',
  '25h',
  '2d',
  '1700000000',
  'NaN',
  '1s1m',
])('%j is no time to wait for', (text) => {
  expect(parseDurationMs(text)).toBeNull();
});

const read = (headers: Record<string, string>) => readRateHeaders((name) => headers[name] ?? null);
const requests = (limit: string, remaining: string, reset = '1s') =>
  read({
    'x-ratelimit-limit-requests': limit,
    'x-ratelimit-remaining-requests': remaining,
    'x-ratelimit-reset-requests': reset,
  })?.requests ?? null;

test('both limits are read, each by itself', () => {
  expect(
    read({
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-reset-requests': '120ms',
      'x-ratelimit-limit-tokens': '200000',
      'x-ratelimit-remaining-tokens': '199000',
    }),
  ).toEqual({
    requests: { limit: 500, remaining: 499, resetMs: 120 },
    tokens: { limit: 200_000, remaining: 199_000, resetMs: null },
  });
  expect(read({ 'x-ratelimit-limit-requests': '500' })).toBeNull();
  expect(read({})).toBeNull();
});

test.each([
  ['less than nothing remains', '500', '-3', { limit: 500, remaining: 0, resetMs: 1_000 }],
  ['more remains than there is', '500', '900', { limit: 500, remaining: 500, resetMs: 1_000 }],
  ['the limit is nothing', '0', '0', null],
  ['the limit is negative', '-1', '0', null],
  ['the limit is no number', 'NaN', '0', null],
  ['the limit is a fraction', '1.5', '1', null],
  ['what remains is no number', '500', 'Infinity', null],
  ['the numbers are endless', '9'.repeat(400), '9'.repeat(400), null],
])('where %s', (_, limit, remaining, expected) => {
  expect(requests(limit, remaining)).toEqual(expected);
});
