/**
 * The time that one item waits after a `later` failure before it is asked again. The gate beside
 * this file keeps every call off; this spreads the items out, so that a provider that comes back is
 * not met by all of them at once.
 */

/**
 * Tries of one item that may end in a 5xx, a timeout or a reset before it fails for good. A 429 is
 * not counted.
 */
export const maxCountedTries = 8;

/** The first window, doubled per try: as the openai and AWS SDKs do. */
const baseDelayMs = 500;
/**
 * Eight tries then span a minute at most, half of it on average; a provider's restart is mostly
 * shorter.
 */
const maxDelayMs = 30_000;

/**
 * Milliseconds until the next try. Full jitter (a uniform draw from 0 to the exponential window),
 * because it spreads retries best for the same waiting:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ A Retry-After is a
 * floor below which no draw falls. `tries` is how many there have been, from 1; `random` draws from
 * [0, 1).
 */
export function laterDelayMs({
  tries,
  retryAfterMs,
  random = Math.random,
}: {
  tries: number;
  retryAfterMs: number | null;
  random?: () => number;
}): number {
  const windowMs = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.max(0, tries - 1));
  return Math.round((retryAfterMs ?? 0) + random() * windowMs);
}
