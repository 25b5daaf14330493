/**
 * Retry-After in every form that providers send it.
 *
 * `retry-after-ms` (OpenAI, Azure) goes before `retry-after`, which is a number of seconds, whole or not, or an HTTP-date (RFC 9110 10.2.3).
 * What says nothing usable, a negative number, a date in the past (mostly a skewed clock), garbage, is null: the gate then
 * waits its own default. The openai package ignores everything above 60 s; we obey up to an hour.
 */

/** An hour. Longer waits are a provider's mistake, or a daily quota that a person has to look at. */
export const maxRetryAfterMs = 3_600_000;

/** Milliseconds to keep off, 0 to `maxRetryAfterMs`, or null where the headers do not say. `nowMs` is the wall clock, for dates. */
export function parseRetryAfter(
  header: (name: string) => string | null,
  nowMs: number,
): number | null {
  const delayMs =
    parseNumber(header('retry-after-ms'), 1) ?? parseSecondsOrDate(header('retry-after'), nowMs);
  return delayMs === null ? null : Math.min(delayMs, maxRetryAfterMs);
}

function parseSecondsOrDate(value: string | null, nowMs: number): number | null {
  return parseNumber(value, 1_000) ?? parseDate(value, nowMs);
}

function parseNumber(value: string | null, unitMs: number): number | null {
  // Number() alone would take '', '0x10' and '1e9'.
  if (value === null || !/^\d{1,15}(\.\d+)?$/.test(value.trim())) return null;
  return Math.ceil(Number(value) * unitMs);
}

function parseDate(value: string | null, nowMs: number): number | null {
  // Date.parse alone would take '-5' and 'abc 1' for dates.
  if (value === null || !/^\s*(mon|tue|wed|thu|fri|sat|sun|\d{4}-\d\d-\d\dT)/i.test(value))
    return null;
  // The asctime form has no zone; every HTTP-date is UTC.
  const zoned = /(gmt|utc|z|[+-]\d\d:?\d\d)\s*$/i.test(value) ? value : `${value} GMT`;
  const delayMs = Date.parse(zoned) - nowMs;
  return delayMs > 0 ? delayMs : null;
}
