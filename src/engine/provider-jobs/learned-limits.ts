/**
 * Limits by experience, where these are less than documented: a gateway, or a customer's tier, may
 * have limits of its own.
 */

/** Time that a refusal is believed: limits are raised, and one refusal may have been a mistake. */
const believedMs = 60 * 60_000;

export interface LearnedLimits {
  /** The largest size of an input by experience; Infinity without experience. */
  limitOf(key: string): number;
  /** An input of such a size, and of more requests than one, was refused as too large. */
  refused(key: string, size: number): void;
}

/** `now`: milliseconds, of a clock that need not tell the time. */
export function createLearnedLimits(now: () => number = () => performance.now()): LearnedLimits {
  const learned = new Map<string, { size: number; until: number }>();

  function limitOf(key: string): number {
    const found = learned.get(key);
    return found && found.until > now() ? found.size : Number.POSITIVE_INFINITY;
  }

  return {
    limitOf,
    refused(key, size) {
      const half = Math.floor(size / 2);
      if (half < limitOf(key)) learned.set(key, { size: half, until: now() + believedMs });
    },
  };
}
