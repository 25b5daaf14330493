/** When the next look at a provider batch is due. */

const firstPollMs = 5_000;
const maxPollMs = 60_000;
/**
 * A job is looked at again after this share of its age. So the end of a short one is soon known,
 * and a long one is asked after rarely.
 */
const ageShare = 0.05;

const firstRetryMs = 1_000;
const maxRetryMs = 5 * 60_000;

/** Milliseconds until a job at work is looked at again. `pollMs`: as configured, at any age. */
export function nextPollMs(ageMs: number, pollMs: number | null): number {
  return pollMs ?? Math.min(maxPollMs, Math.max(firstPollMs, ageMs * ageShare));
}

/** Milliseconds until a failed step is tried again; no sooner than the provider wants. */
export function retryMs(
  { failures, retryAfterMs }: { failures: number; retryAfterMs: number | null },
  pollMs: number | null,
): number {
  const first = Math.min(firstRetryMs, pollMs ?? firstRetryMs);
  return Math.max(retryAfterMs ?? 0, Math.min(maxRetryMs, first * 2 ** Math.min(failures - 1, 20)));
}
