import { describe, expect, test } from 'vitest';
import { laterDelayMs, maxCountedTries } from '../../src/model/retry.ts';

describe('the delay of one item', () => {
  test('is drawn from a window that doubles from half a second to thirty', () => {
    const longest = Array.from({ length: maxCountedTries }, (_, index) =>
      laterDelayMs({ tries: index + 1, retryAfterMs: null, random: () => 1 }),
    );

    expect(longest).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(laterDelayMs({ tries: 5, retryAfterMs: null, random: () => 0 })).toBe(0);
  });

  test('is never shorter than Retry-After', () => {
    expect(laterDelayMs({ tries: 1, retryAfterMs: 61_000, random: () => 0 })).toBe(61_000);
  });
});
