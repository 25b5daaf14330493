/** When the answers of a batch were recorded, in intervals that grow with the time it takes. */
import { countByTime, type Recording, readAnswerSpan } from '../../db/summaries.ts';
import type { Summary } from './summary.ts';

/** Length of the time line of a batch that is over sooner. */
const shortestMs = 100;
/** Beyond this, intervals become twice as long. */
const maxIntervals = 2_048;

/** The answers of one interval. `costUsd` is null where none has a known price. */
export type Interval = Omit<Recording, 'at'>;

export interface Timeline {
  /** When the first answer was recorded, in ms; null before. */
  readonly originMs: number | null;
  readonly intervalMs: number;
  /** By their place behind the origin, from 0. A few answers may lie just before it. */
  readonly intervals: ReadonlyMap<number, Interval>;
}

export const timeline: Summary<Timeline> = {
  field: 'timeline',
  none: { originMs: null, intervalMs: shortestMs, intervals: new Map() },

  async count(sql, counts, stretch, sign) {
    const span = await readAnswerSpan(sql, stretch);
    if (span === null) return counts;
    const originMs = counts.originMs ?? span.first.getTime();
    const line = widened({ ...counts, originMs }, span.last.getTime() - originMs);
    const { intervalMs } = line;
    const found = await countByTime(sql, stretch, { origin: new Date(originMs), intervalMs });
    const intervals = new Map(line.intervals);
    for (const { at, ...recorded } of found) {
      const place = Math.round((at.getTime() - originMs) / intervalMs);
      const sum = joined(intervals.get(place), recorded, sign);
      if (sum.succeeded + sum.failed === 0) intervals.delete(place);
      else intervals.set(place, sum);
    }
    return { ...line, intervals };
  },

  isWhole({ intervals }, { succeeded, failed }) {
    let answers = 0;
    for (const interval of intervals.values()) answers += interval.succeeded + interval.failed;
    return answers === succeeded + failed;
  },

  toJson: ({ originMs, intervalMs, intervals }) => [originMs, intervalMs, [...intervals]],
  fromJson(json) {
    const [originMs, intervalMs, intervals] = json as [number | null, number, [number, Interval][]];
    return { originMs, intervalMs, intervals: new Map(intervals) };
  },
};

/** In intervals that are long enough: less than `maxIntervals` of them make up `spanMs`. */
function widened(line: Timeline, spanMs: number): Timeline {
  let factor = 1;
  while (spanMs / (line.intervalMs * factor) >= maxIntervals) factor *= 2;
  return factor === 1 ? line : gathered(line, factor);
}

/** In intervals `factor` times as long, counted from `from`: a place as before. */
export function gathered(line: Timeline, factor: number, from = 0): Timeline {
  const intervals = new Map<number, Interval>();
  for (const [place, interval] of line.intervals) {
    const wide = Math.floor((place - from) / factor);
    intervals.set(wide, joined(intervals.get(wide), interval));
  }
  const originMs = line.originMs === null ? null : line.originMs + from * line.intervalMs;
  return { originMs, intervalMs: line.intervalMs * factor, intervals };
}

function joined(one: Interval | undefined, other: Interval, sign: 1 | -1 = 1): Interval {
  const costUsd =
    other.costUsd === null ? (one?.costUsd ?? null) : (one?.costUsd ?? 0) + sign * other.costUsd;
  return {
    succeeded: (one?.succeeded ?? 0) + sign * other.succeeded,
    failed: (one?.failed ?? 0) + sign * other.failed,
    costUsd,
    isAsked: (one?.isAsked ?? false) || other.isAsked,
  };
}
