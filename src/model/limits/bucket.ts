/**
 * A token bucket (https://en.wikipedia.org/wiki/Token_bucket) that may be overdrawn. What is taken
 * beyond its level is paid back before the next amount is there. So a call whose needs are known
 * only once it is under way can still be accounted for. Times are milliseconds of one monotonic
 * clock, given by the caller.
 */
export interface Bucket {
  level(now: number): number;
  /**
   * When `amount` will be there: `now` or later. An amount above what the bucket holds waits for a
   * full one.
   */
  opensAt(now: number, amount: number): number;
  /** Number of times that `amount` may be taken now, one after the other. */
  room(now: number, amount: number): number;
  /** Takes an amount, or puts a negative one back. */
  take(now: number, amount: number): void;
  /** Changes the flow per millisecond, the most that it holds, and a level that is known. */
  set(now: number, next: { perMs: number; burst: number; level?: number }): void;
}

/** A part of a call below this is rounding. */
export const rounding = 1e-6;

/**
 * Number of times that `amount` may be taken from `level`. A full bucket is enough for any amount.
 */
export function timesTaken(
  level: number,
  { amount, burst }: { amount: number; burst: number },
): number {
  const spare = level - Math.min(amount, burst) + rounding;
  if (spare < 0) return 0;
  return amount > 0 ? Math.floor(spare / amount) + 1 : Number.POSITIVE_INFINITY;
}

/** A full bucket. */
export function createBucket(initial: { perMs: number; burst: number }): Bucket {
  let { perMs, burst } = initial;
  let level = burst;
  let at = Number.NEGATIVE_INFINITY;

  function refill(now: number): number {
    if (now > at) {
      level = Math.min(burst, level + (now - at) * perMs);
      at = now;
    }
    return level;
  }

  return {
    level: refill,
    opensAt(now, amount) {
      const missing = Math.min(amount, burst) - refill(now);
      return missing <= rounding ? now : now + missing / perMs;
    },
    room(now, amount) {
      return timesTaken(refill(now), { amount, burst });
    },
    take(now, amount) {
      level = Math.min(burst, refill(now) - amount);
    },
    set(now, next) {
      const before = refill(now);
      ({ perMs, burst } = next);
      level = Math.min(burst, next.level ?? before);
    },
  };
}
