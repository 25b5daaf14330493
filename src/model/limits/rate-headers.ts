/**
 * The `x-ratelimit-…` headers of OpenAI, which Azure, Groq, vLLM's gateways and others also send:
 * what is allowed, what remains of it and when all is there again, for requests and for tokens.
 * Any other value says nothing.
 */
import type { LimitReading } from './learned-limit.ts';

export interface RateHeaders {
  requests: LimitReading | null;
  tokens: LimitReading | null;
}

/** No limit that is worth waiting for is longer; a reset beyond it is a fault. */
const maxResetMs = 24 * 3_600_000;

/** Null where the answer has none of the headers, as most have. */
export function readRateHeaders(header: (name: string) => string | null): RateHeaders | null {
  const requests = readLimit(header, 'requests');
  const tokens = readLimit(header, 'tokens');
  return requests || tokens ? { requests, tokens } : null;
}

function readLimit(
  header: (name: string) => string | null,
  unit: 'requests' | 'tokens',
): LimitReading | null {
  const limitText = header(`x-ratelimit-limit-${unit}`);
  if (limitText === null) return null;
  const remainingText = header(`x-ratelimit-remaining-${unit}`);
  if (remainingText === null) return null;
  if (!/^\d{1,12}$/.test(limitText) || !/^-?\d{1,12}$/.test(remainingText)) return null;
  const limit = Number(limitText);
  if (limit === 0) return null;
  // Below zero is said by servers that let a limit be overdrawn.
  const remaining = Math.min(limit, Math.max(0, Number(remainingText)));
  const resetText = header(`x-ratelimit-reset-${unit}`);
  return { limit, remaining, resetMs: resetText === null ? null : parseDurationMs(resetText) };
}

const duration =
  /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d+)?)s)?(?:(\d{1,9}(?:\.\d+)?)ms)?$/;

/** `1s`, `6m0s`, `20ms`, `1h2m3.5s` or plain seconds as milliseconds, up to a day; else null. */
export function parseDurationMs(text: string): number | null {
  if (text === '') return null;
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return bounded(Number(text) * 1_000);
  const parts = duration.exec(text);
  if (!parts) return null;
  const [, days = 0, hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = parts;
  return bounded(
    ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 +
      Number(seconds) * 1_000 +
      Number(milliseconds),
  );
}

function bounded(ms: number): number | null {
  return ms > 0 && ms <= maxResetMs ? ms : null;
}
