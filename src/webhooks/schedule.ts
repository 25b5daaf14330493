const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * Time from the end of one attempt until the next one is due, in milliseconds, the first of them
 * from the end of the batch: the schedule that Standard Webhooks recommends. Ten attempts over
 * about three days.
 */
export const webhookSchedule: readonly number[] = [
  0,
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/** Up to this share earlier or later, so that what failed together does not come back together. */
const jitter = 0.1;

/**
 * Milliseconds from the end of an attempt to the next, or null when it was the last. `made` counts
 * attempts, from 1, this one included; `random` draws from [0, 1). What the endpoint asked for is a
 * floor.
 */
export function nextAttemptInMs(
  made: number,
  {
    schedule,
    retryAfterMs,
    random,
  }: { schedule: readonly number[]; retryAfterMs: number | null; random: () => number },
): number | null {
  const step = schedule[made];
  if (step === undefined) return null;
  return Math.max(Math.round(step * (1 - jitter + 2 * jitter * random())), retryAfterMs ?? 0);
}
