/** Arithmetic over what the answers of a batch look like together. */

export interface LabelCount {
  /** Null: the answers that name none. */
  label: string | null;
  count: number;
  /** 0 to 1. */
  share: number;
}

export interface ConfidenceBin {
  from: number;
  to: number;
  count: number;
}

export interface TimelinePoint {
  at: string;
  seconds: number;
  succeeded: number;
  failed: number;
  costUsd: number | null;
}

/** Answers of bins that end at or before `limit`. */
export function belowCount(bins: readonly ConfidenceBin[], limit: number): number {
  // The edges are rounded to thousandths.
  return bins.reduce((sum, { to, count }) => (to <= limit + 0.0005 ? sum + count : sum), 0);
}

/** Fewer and wider bins: `by` of them become one. */
export function widerBins(bins: readonly ConfidenceBin[], by: number): ConfidenceBin[] {
  const wide: ConfidenceBin[] = [];
  for (let first = 0; first < bins.length; first += by) {
    const part = bins.slice(first, first + by);
    const [begin] = part;
    const end = part.at(-1);
    if (!begin || !end) continue;
    wide.push({
      from: begin.from,
      to: end.to,
      count: part.reduce((sum, { count }) => sum + count, 0),
    });
  }
  return wide;
}

/** Answers a second in the fastest interval; null without an interval of some length. */
export function fastest(timeline: readonly TimelinePoint[]): number | null {
  const paces = timeline
    .filter(({ seconds }) => seconds > 0)
    .map(({ seconds, succeeded, failed }) => (succeeded + failed) / seconds);
  return paces.length > 1 ? Math.max(...paces) : null;
}

export interface Pace {
  /** Seconds since 1970, the middle of each interval. */
  at: number[];
  /** Answers a second. */
  all: number[];
  /** Failures among them, a second. */
  failed: number[];
  /** The longest time without an answer; null where there was none worth a word. */
  stop: { from: number; seconds: number } | null;
}

/** Times without an answer are left out of a timeline: here they are 0. */
export function paceOf(timeline: readonly TimelinePoint[]): Pace {
  const pace: Pace = { at: [], all: [], failed: [], stop: null };
  let end: number | null = null;
  for (const point of timeline) {
    const from = Date.parse(point.at) / 1_000;
    const { seconds } = point;
    if (seconds <= 0) continue;
    if (end !== null && from - end > seconds / 2) {
      const stop = { from: end, seconds: from - end };
      if (stop.seconds > Math.max(3, pace.stop?.seconds ?? 0)) pace.stop = stop;
      for (let at = end; at < from - seconds / 2; at += seconds) push(at + seconds / 2, 0, 0);
    }
    push(from + seconds / 2, (point.succeeded + point.failed) / seconds, point.failed / seconds);
    end = from + seconds;
  }
  return pace;

  function push(at: number, all: number, failed: number) {
    pace.at.push(at);
    pace.all.push(all);
    pace.failed.push(failed);
  }
}
