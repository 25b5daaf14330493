/**
 * The `anthropic-ratelimit-…` headers
 * (https://platform.claude.com/docs/en/api/rate-limits#response-headers): what is allowed, what
 * remains, and when all is there again, of requests and of input and output tokens, each with a
 * limit of its own.
 */
import type { Tokens } from '../../core/usage.ts';
import type { LimitReading } from '../limits/learned-limit.ts';
import type { RateHeaders } from '../limits/rate-headers.ts';

/** No limit that is worth waiting for is longer; a reset beyond it is a fault. */
const maxResetMs = 24 * 3_600_000;

/**
 * Null where the answer has none of the headers. The gate counts the tokens of a call in one sum.
 * So the limits of input and of output tokens are told as the sum that they allow for calls with
 * this mix of the two. The mix is that of the answer itself, or of the last one; half and half
 * where there was none. The limit that allows least is the reading. `nowMs` is the wall clock, used
 * where the answer has no date.
 */
export function readAnthropicRateHeaders(
  header: (name: string) => string | null,
  { mix, nowMs }: { mix: Tokens | null; nowMs: number },
): RateHeaders | null {
  // By the server's own clock, which may be another than ours.
  const date = Date.parse(header('date') ?? '');
  const now = Number.isNaN(date) ? nowMs : date;
  const limitOf = (name: string) =>
    readLimit((part) => header(`anthropic-ratelimit-${name}-${part}`), now);
  const requests = limitOf('requests');
  const { input, output } = sharesOf(mix);
  const readings = [
    limitOf('tokens'),
    scaled(limitOf('input-tokens'), input),
    scaled(limitOf('output-tokens'), output),
  ].filter((reading) => reading !== null);
  const tokens = readings.reduce<LimitReading | null>(
    (least, reading) => (least && least.remaining <= reading.remaining ? least : reading),
    null,
  );
  return requests || tokens ? { requests, tokens } : null;
}

/** Which of a call's tokens counts against each limit. Cached ones count against none. */
function sharesOf(mix: Tokens | null): { input: number; output: number } {
  const all = mix ? mix.inputTokens + mix.outputTokens : 0;
  if (!mix || all === 0) return { input: 0.5, output: 0.5 };
  return { input: (mix.inputTokens - mix.cachedInputTokens) / all, output: mix.outputTokens / all };
}

/** Null where calls like these take nothing of the limit. */
function scaled(reading: LimitReading | null, share: number): LimitReading | null {
  if (!reading || share <= 0) return null;
  const limit = Math.max(1, Math.round(reading.limit / share));
  return { ...reading, limit, remaining: Math.min(limit, Math.round(reading.remaining / share)) };
}

function readLimit(part: (name: string) => string | null, nowMs: number): LimitReading | null {
  const limitText = part('limit');
  const remainingText = part('remaining');
  if (limitText === null || remainingText === null) return null;
  if (!/^\d{1,12}$/.test(limitText) || !/^-?\d{1,12}$/.test(remainingText)) return null;
  const limit = Number(limitText);
  if (limit === 0) return null;
  const remaining = Math.min(limit, Math.max(0, Number(remainingText)));
  // RFC 3339; a Date header has whole seconds, so a reset may seem to be up to one second later
  // than it is.
  const resetMs = Date.parse(part('reset') ?? '') - nowMs;
  return { limit, remaining, resetMs: resetMs > 0 && resetMs <= maxResetMs ? resetMs : null };
}
