/**
 * The number of calls that may be in flight: additive increase, multiplicative decrease. The limit
 * starts at the ceiling, is multiplied by 0.7 on a 429, and grows by 5 % of the ceiling per round
 * trip of successes. A burst of 429s comes from one overload, so only a call that went out after
 * the last decrease can cause the next one. After an outage the limit starts small and doubles per
 * round trip up to where it was, as TCP does: a provider that has just come back is not met by
 * everything at once.
 */
const decrease = 0.7;
const increase = 0.05;
/** Calls at once after an outage, at first. */
const slowStart = 2;

export interface Concurrency {
  /** Calls that may be in flight at once, a whole number from 1. */
  readonly places: number;
  /** Changes with each decrease; a call remembers the one it went out in. */
  readonly generation: number;
  /** A call has gone out and `inFlight` are under way now. */
  started(inFlight: number): void;
  succeeded(generation: number, inFlight: number): void;
  /** True where this 429 caused a decrease. */
  rateLimited(generation: number): boolean;
  /** The provider is back after an outage. */
  restart(): void;
}

export function createConcurrency(maxConcurrency: number): Concurrency {
  const ceiling = Math.max(1, Math.floor(maxConcurrency));
  let limit = ceiling;
  /** Below it the limit doubles per round trip. */
  let threshold = 0;
  let generation = 0;
  /** Successes of this round trip, and the most calls that were in flight in it. */
  let successes = 0;
  let peak = 0;

  return {
    get places() {
      return Math.floor(limit);
    },
    get generation() {
      return generation;
    },
    started(inFlight) {
      peak = Math.max(peak, inFlight);
    },
    succeeded(entered, inFlight) {
      if (entered !== generation) return;
      // A limit that is not used teaches nothing about what lies above it.
      if (peak * 2 >= limit) {
        const step = limit < threshold ? 1 : (increase * ceiling) / limit;
        limit = Math.min(ceiling, limit + step);
      }
      successes += 1;
      if (successes >= limit) {
        successes = 0;
        peak = inFlight;
      }
    },
    rateLimited(entered) {
      if (entered !== generation) return false;
      generation += 1;
      limit = Math.max(1, limit * decrease);
      threshold = 0;
      successes = 0;
      peak = 0;
      return true;
    },
    restart() {
      generation += 1;
      threshold = Math.max(threshold, limit);
      limit = Math.min(limit, slowStart);
      successes = 0;
      peak = 0;
    },
  };
}
