/** A day: the longest step of the schedule, too. */
const maxRetryAfterMs = 24 * 60 * 60 * 1_000;

/**
 * Milliseconds that a Retry-After asks for (RFC 9110 10.2.3: whole seconds, or an HTTP-date), at most a day; null where it says
 * nothing usable. `nowMs` is the wall clock, for dates.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  const text = value.trim();
  const delayMs = /^\d{1,15}$/.test(text)
    ? Number(text) * 1_000
    : // Date.parse alone takes much that is no date.
      /^(mon|tue|wed|thu|fri|sat|sun)/i.test(text)
      ? Date.parse(text) - nowMs
      : Number.NaN;
  return delayMs >= 0 ? Math.min(delayMs, maxRetryAfterMs) : null;
}
