import { describe, expect, it } from 'vitest';
import { confidenceBins, medianConfidence, timelinePoints } from '../../src/app/answer-sums.ts';
import type { BatchRecord } from '../../src/db/batches.ts';
import type { Database } from '../../src/db/driver/client.ts';
import type { Summaries } from '../../src/engine/summaries/summaries.ts';
import type { Interval, Timeline } from '../../src/engine/summaries/timeline.ts';

const batch = {
  operation: 'label',
  options: JSON.stringify({ categories: ['a', 'b'] }),
  succeeded: 10,
} as BatchRecord;

/** A process that has counted this. */
function counted(counts: unknown) {
  const summaries = { read: async () => counts } as unknown as Summaries;
  return { db: {} as Database, summaries };
}

const confidences = (...pairs: [number, number][]) => counted(new Map(pairs));

describe('confidence', () => {
  it.each([1, 2, 3, 7, 20, 64, 100])('has each thousandth in one of %i intervals', async (bins) => {
    const every = Array.from({ length: 1_001 }, (_, at): [number, number] => [at, 1]);

    const found = await confidenceBins(confidences(...every), batch, bins);

    expect(found).toHaveLength(bins);
    expect(found[0]?.from).toBe(0);
    expect(found.at(-1)?.to).toBe(1);
    for (const [at, { from, to, count }] of found.entries()) {
      if (at > 0) expect(from).toBe(found[at - 1]?.to);
      const last = at === bins - 1 ? 1 : 0;
      expect(count).toBe(Math.round((to - from) * 1_000) + last);
    }
  });

  it('has 1 in the last interval, and an edge in the interval that begins with it', async () => {
    const found = await confidenceBins(confidences([0, 1], [500, 2], [1_000, 4]), batch, 2);

    expect(found.map(({ count }) => count)).toEqual([1, 6]);
  });

  it('is empty where no item has one', async () => {
    expect(await confidenceBins(confidences(), batch, 20)).toEqual([]);
    expect(await medianConfidence(confidences(), batch)).toBeNull();
  });
});

describe('the median confidence', () => {
  it.each([
    [[[900, 1]], 0.9],
    [
      [
        [200, 1],
        [900, 1],
      ],
      0.9,
    ],
    [
      [
        [200, 1],
        [500, 1],
        [900, 1],
      ],
      0.5,
    ],
    [
      [
        [0, 6],
        [1_000, 5],
      ],
      0,
    ],
    [
      [
        [100, 50],
        [300, 1],
        [700, 50],
      ],
      0.3,
    ],
  ] as [[number, number][], number][])('of %j is %d', async (pairs, median) => {
    expect(await medianConfidence(confidences(...pairs), batch)).toBe(median);
  });
});

describe('the timeline', () => {
  const originMs = Date.parse('2026-11-30T12:00:00.000Z');
  const line = (intervals: [number, Partial<Interval>][]): Timeline => ({
    originMs,
    intervalMs: 100,
    intervals: new Map(
      intervals.map(([place, interval]) => [
        place,
        { succeeded: 0, failed: 0, costUsd: null, isAsked: true, ...interval },
      ]),
    ),
  });
  const at = (ms: number) => new Date(originMs + ms);

  it('has intervals of one length from the first answer to the last, without empty ones', async () => {
    const given = line([
      [-1, { succeeded: 1, costUsd: 0.5 }],
      [0, { failed: 2 }],
      [1, { succeeded: 3, costUsd: 1 }],
      [7, { succeeded: 4 }],
    ]);

    expect(await timelinePoints(counted(given), batch, 3)).toEqual([
      { at: at(-100), seconds: 0.3, succeeded: 4, failed: 2, costUsd: 1.5 },
      { at: at(500), seconds: 0.3, succeeded: 4, failed: 0, costUsd: null },
    ]);
    expect(await timelinePoints(counted(given), batch, 1)).toEqual([
      { at: at(-100), seconds: 0.9, succeeded: 8, failed: 2, costUsd: 1.5 },
    ]);
    expect(await timelinePoints(counted(given), batch, 500)).toHaveLength(4);
  });

  it('costs 0 where nothing was asked, and null where no price is known', async () => {
    const given = line([
      [0, { succeeded: 1, isAsked: false }],
      [1, { succeeded: 1 }],
    ]);

    const points = await timelinePoints(counted(given), batch, 500);

    expect(points.map(({ costUsd }) => costUsd)).toEqual([0, null]);
  });

  it('is empty before the first answer', async () => {
    const none: Timeline = { originMs: null, intervalMs: 100, intervals: new Map() };
    expect(await timelinePoints(counted(none), batch, 120)).toEqual([]);
  });
});
