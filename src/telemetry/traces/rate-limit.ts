/** Lets so many through in any second. */

/** `take` answers whether one more may pass now. */
export interface RateLimit {
  take(nowMs: number): boolean;
}

const secondMs = 1_000;

/** Remembers when the last `perSecond` passed, so that no second ever has more. */
export function createRateLimit(perSecond: number): RateLimit {
  const passedAt = new Float64Array(perSecond).fill(Number.NEGATIVE_INFINITY);
  let oldest = 0;
  return {
    take(nowMs) {
      if (nowMs - (passedAt[oldest] as number) < secondMs) return false;
      passedAt[oldest] = nowMs;
      oldest = (oldest + 1) % perSecond;
      return true;
    },
  };
}
