/** Where the rows of a long list stand: the browser scrolls over fewer pixels than they have. */
import { describe, expect, it } from 'vitest';
import {
  offsetShowing,
  scrolledPx,
  scrolledTo,
  scrollOf,
} from '../../src/console/pages/batch/results/scroll.ts';

const short = { rows: 1_000, rowPx: 33, viewPx: 495 };
const long = { rows: 1_000_000, rowPx: 33, viewPx: 495 };
const lastOffset = long.rows * long.rowPx - long.viewPx;
const lastScroll = 10_000_000 - long.viewPx;

describe('a list that browsers can show as it is', () => {
  it('stands where the bar stands', () => {
    expect(scrolledPx(short)).toBe(33_000);
    expect(scrolledTo(0, { from: 0, to: 1_234 }, short)).toBe(1_234);
    expect(scrolledTo(0, { from: 0, to: 20_000 }, short)).toBe(20_000);
  });
});

describe('a list of a million rows', () => {
  it('is scrolled over less than every browser can show', () => {
    expect(scrolledPx(long)).toBe(10_000_000);
  });

  it('goes by share where the bar is dragged', () => {
    expect(scrolledTo(0, { from: 0, to: lastScroll / 2 }, long)).toBeCloseTo(lastOffset / 2, 3);
  });

  it('goes by pixels where a wheel turns', () => {
    const middle = 16_500_000;
    const from = scrollOf(middle, long);
    expect(scrolledTo(middle, { from, to: from + 330 }, long)).toBe(middle + 330);
    expect(scrolledTo(middle, { from, to: from - 330 }, long)).toBe(middle - 330);
  });

  it('reaches its first and its last row', () => {
    expect(scrolledTo(100, { from: 30, to: 0 }, long)).toBe(0);
    // A browser may stop within a pixel of the end.
    expect(scrolledTo(0, { from: 0, to: lastScroll - 0.5 }, long)).toBe(lastOffset);
  });

  it('shows a row with the least movement', () => {
    expect(offsetShowing(999_999, 0, long)).toBe(lastOffset);
    expect(offsetShowing(500_000, lastOffset, long)).toBe(500_000 * 33);
    expect(offsetShowing(500_003, 500_000 * 33, long)).toBe(500_000 * 33);
  });
});
