/** Retry-After in every form that servers send it. */

/**
 * Milliseconds that a server asks to wait, at most `maxMs`; null where its headers do not say.
 * `nowMs` is the wall clock, for dates.
 *
 * `retry-after-ms` (OpenAI, Azure) goes before `retry-after`, which is a number of seconds, whole
 * or not, or an HTTP-date (RFC 9110 10.2.3). A negative number, a date in the past (mostly a skewed
 * clock) and any other text say nothing.
 */
export function parseRetryAfter(
  header: (name: string) => string | null,
  { nowMs, maxMs }: { nowMs: number; maxMs: number },
): number | null {
  const delayMs =
    parseNumber(header('retry-after-ms'), 1) ?? parseSecondsOrDate(header('retry-after'), nowMs);
  return delayMs === null ? null : Math.min(delayMs, maxMs);
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
  if (value === null || !/^\s*(mon|tue|wed|thu|fri|sat|sun|\d{4}-\d\d-\d\dT)/i.test(value)) {
    return null;
  }
  // The asctime form has no zone; every HTTP-date is UTC.
  const zoned = /(gmt|utc|z|[+-]\d\d:?\d\d)\s*$/i.test(value) ? value : `${value} GMT`;
  const delayMs = Date.parse(zoned) - nowMs;
  return delayMs > 0 ? delayMs : null;
}
