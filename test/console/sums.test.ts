/** Arithmetic over the answers of a batch: what the charts show. */
import { expect, it } from 'vitest';
import {
  belowCount,
  fastest,
  paceOf,
  widerBins,
} from '../../src/console/pages/batch/charts/sums.ts';

const hundredths = Array.from({ length: 100 }, (_, at) => ({
  from: at / 100,
  to: (at + 1) / 100,
  count: at,
}));

it('counts the answers below a line exactly, and draws them in fewer bins', () => {
  expect(belowCount(hundredths, 0.57)).toBe((57 * 56) / 2);
  expect(belowCount(hundredths, 1)).toBe((100 * 99) / 2);
  const wide = widerBins(hundredths, 5);
  expect(wide).toHaveLength(20);
  expect(wide[1]).toEqual({ from: 0.05, to: 0.1, count: 5 + 6 + 7 + 8 + 9 });
});

it('draws times without an answer as such, and names the longest', () => {
  const point = (second: number) => ({
    at: new Date(second * 1_000).toISOString(),
    seconds: 2,
    succeeded: 18,
    failed: 2,
    costUsd: null,
  });
  const pace = paceOf([point(0), point(2), point(12), point(14)]);
  expect(pace.at).toEqual([1, 3, 5, 7, 9, 11, 13, 15]);
  expect(pace.all).toEqual([10, 10, 0, 0, 0, 0, 10, 10]);
  expect(pace.failed).toEqual([1, 1, 0, 0, 0, 0, 1, 1]);
  expect(pace.stop).toEqual({ from: 4, seconds: 8 });
  expect(fastest([point(0), point(2)])).toBe(10);
  expect(fastest([point(0)])).toBeNull();
});
