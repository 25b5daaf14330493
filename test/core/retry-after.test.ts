import { describe, expect, test } from 'vitest';
import { parseRetryAfter } from '../../src/core/retry-after.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const maxMs = 3_600_000;
const parse = (headers: Record<string, string>) =>
  parseRetryAfter((name) => headers[name] ?? null, { nowMs: now, maxMs });

describe('Retry-After', () => {
  test.each([
    ['2', 2_000],
    ['61', 61_000],
    ['120', 120_000],
    ['Fri, 20 Nov 2026 12:02:00 GMT', 120_000],
    ['3600', 3_600_000],
    ['0.25', 250],
    ['0', 0],
    [' 7 ', 7_000],
    ['Fri, 20 Nov 2026 12:00:09 GMT', 9_000],
    ['Friday, 20-Nov-26 12:00:09 GMT', 9_000],
    ['Fri Nov 20 12:00:09 2026', 9_000],
    ['2026-11-20T12:00:09Z', 9_000],
  ])('%j is obeyed', (value, expected) => {
    expect(parse({ 'retry-after': value })).toBe(expected);
  });

  test.each([
    '-5',
    'abc',
    '',
    '1e3',
    '0x10',
    '5 apples',
    'Fri, 20 Nov 2026 11:59:59 GMT',
    'Fri, soon',
    'soon',
    'Thu, 01 Jan 2015 00:00:00 GMT',
  ])('%j says nothing', (value) => {
    expect(parse({ 'retry-after': value })).toBeNull();
  });

  test.each(['86400', '999999999999', 'Sat, 20 Nov 2066 12:00:00 GMT'])(
    '%j is capped at the given most',
    (value) => {
      expect(parse({ 'retry-after': value })).toBe(maxMs);
    },
  );

  test('no header says nothing', () => {
    expect(parse({})).toBeNull();
  });

  test('retry-after-ms goes first, and gives way when it is garbage', () => {
    expect(parse({ 'retry-after-ms': '300', 'retry-after': '2' })).toBe(300);
    expect(parse({ 'retry-after-ms': 'soon', 'retry-after': '2' })).toBe(2_000);
  });
});
