/** What providers take at once by experience, where that is less than they document: a gateway in front of one may have a limit of its own. */

/** So long a refusal is believed: limits are raised, and one refusal may have been a mistake. */
const believedMs = 60 * 60_000;

export interface InputSizes {
  /** Bytes that an input for the provider has at most, as far as experience goes; Infinity where there is none. */
  limitOf(provider: string): number;
  /** An input of so many bytes, and of more requests than one, was refused as too large. */
  refused(provider: string, bytes: number): void;
}

/** `now`: milliseconds, of a clock that need not tell the time. */
export function createInputSizes(now: () => number = () => performance.now()): InputSizes {
  const learned = new Map<string, { bytes: number; until: number }>();

  function limitOf(provider: string): number {
    const found = learned.get(provider);
    return found && found.until > now() ? found.bytes : Number.POSITIVE_INFINITY;
  }

  return {
    limitOf,
    refused(provider, bytes) {
      const half = Math.floor(bytes / 2);
      if (half < limitOf(provider))
        learned.set(provider, { bytes: half, until: now() + believedMs });
    },
  };
}
