/**
 * Requests and tokens per minute as providers count them: two buckets that fill steadily, and
 * headers that tell of both.
 */
import { ApiError } from '../wire/api-error.ts';

export interface RateLimits {
  requestsPerMinute?: number;
  tokensPerMinute?: number;
}

export interface RateLimiter {
  /**
   * Takes one request of so many tokens. Returns the headers of the answer; throws the 429 where a
   * bucket is short.
   */
  take(tokens: number): Record<string, string>;
}

interface Bucket {
  capacity: number;
  level: number;
}

const minuteMs = 60_000;

export interface BucketState {
  type: 'requests' | 'tokens';
  limit: number;
  remaining: number;
  /** Until the bucket is full. */
  resetMs: number;
}

/** `now` is a clock in milliseconds that never goes back. */
export function createRateLimiter(
  limits: RateLimits,
  now: () => number,
  tell: (states: readonly BucketState[]) => Record<string, string> = openAiHeaders,
): RateLimiter {
  const requests = bucket(limits.requestsPerMinute);
  const tokens = bucket(limits.tokensPerMinute);
  let last = now();

  function refill(): void {
    const time = now();
    for (const one of [requests, tokens]) {
      if (one)
        one.level = Math.min(one.capacity, one.level + ((time - last) * one.capacity) / minuteMs);
    }
    last = time;
  }

  const headers = (): Record<string, string> =>
    tell([...stateOf('requests', requests), ...stateOf('tokens', tokens)]);

  return {
    take(wanted) {
      refill();
      const short = shortage(requests, 1, 'requests') ?? shortage(tokens, wanted, 'tokens');
      if (short) throw refusal(short, headers());
      if (requests) requests.level -= 1;
      if (tokens) tokens.level -= wanted;
      return headers();
    },
  };
}

interface Shortage {
  type: 'requests' | 'tokens';
  waitMs: number;
  limit: number;
}

function bucket(capacity: number | undefined): Bucket | null {
  return capacity === undefined ? null : { capacity, level: capacity };
}

/** A request larger than the whole bucket waits for a full one, else it would wait for ever. */
function shortage(one: Bucket | null, wanted: number, type: Shortage['type']): Shortage | null {
  if (!one) return null;
  const missing = Math.min(wanted, one.capacity) - one.level;
  return missing > 1e-9
    ? { type, waitMs: Math.ceil((missing * minuteMs) / one.capacity), limit: one.capacity }
    : null;
}

function refusal({ type, waitMs, limit }: Shortage, headers: Record<string, string>): ApiError {
  return new ApiError(
    `Rate limit reached for rules on ${type} per min: Limit ${limit}. Please try again in ${duration(waitMs)}.`,
    {
      status: 429,
      type,
      code: 'rate_limit_exceeded',
      headers: {
        ...headers,
        'retry-after': String(Math.ceil(waitMs / 1_000)),
        'retry-after-ms': String(waitMs),
      },
    },
  );
}

function stateOf(type: BucketState['type'], one: Bucket | null): BucketState[] {
  if (!one) return [];
  const { capacity, level } = one;
  const resetMs = Math.ceil(((capacity - level) * minuteMs) / capacity);
  return [{ type, limit: capacity, remaining: Math.max(0, Math.floor(level)), resetMs }];
}

function openAiHeaders(states: readonly BucketState[]): Record<string, string> {
  return Object.fromEntries(
    states.flatMap(({ type, limit, remaining, resetMs }) => [
      [`x-ratelimit-limit-${type}`, String(limit)],
      [`x-ratelimit-remaining-${type}`, String(remaining)],
      [`x-ratelimit-reset-${type}`, duration(resetMs)],
    ]),
  );
}

/** OpenAI's way to write a time: `120ms`, `1.5s`, `6m0s`. */
function duration(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  if (ms < minuteMs) return `${Math.round(ms) / 1_000}s`;
  return `${Math.floor(ms / minuteMs)}m${Math.round((ms % minuteMs) / 1_000)}s`;
}

/** Source: https://platform.claude.com/docs/en/api/rate-limits#response-headers. */
export function anthropicRateHeaders(states: readonly BucketState[]): Record<string, string> {
  return Object.fromEntries(
    states.flatMap(({ type, limit, remaining, resetMs }) => [
      [`anthropic-ratelimit-${type}-limit`, String(limit)],
      [`anthropic-ratelimit-${type}-remaining`, String(remaining)],
      [`anthropic-ratelimit-${type}-reset`, new Date(Date.now() + resetMs).toISOString()],
    ]),
  );
}
