/**
 * What went wrong in a call through the openai package, in Winnow's terms: an error answer by `classify`, and what kept an answer from coming here.
 */
import { APIConnectionError, APIError } from 'openai';
import { ModelError, type ProviderConfig } from './model.ts';
import { Stalled } from './stream-fetch.ts';
import { BodyTooLarge } from './thin-fetch.ts';

/** The provider answered, with a status that is no success. */
export function isStatusError(error: unknown): error is APIError<number, Headers> {
  return error instanceof APIError && typeof error.status === 'number';
}

/** Resets, refused connections, unknown hosts, bodies cut short or not moving. */
export function translateTransport(error: unknown, provider: string): ModelError {
  const cause = error instanceof APIConnectionError ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  // UND_ERR_CONNECT_TIMEOUT and the system's ETIMEDOUT.
  const isTimeout = code.endsWith('TIMEOUT') || code === 'ETIMEDOUT' || cause instanceof Stalled;
  return new ModelError(
    {
      kind: 'later',
      code: isTimeout ? 'TIMEOUT' : 'PROVIDER_ERROR',
      retryAfterMs: null,
      counts: true,
    },
    messageOf(cause, code, provider),
    { cause },
  );
}

function messageOf(cause: unknown, code: string, provider: string): string {
  if (cause instanceof BodyTooLarge) return `The answer of ${provider} is too large.`;
  if (cause instanceof Stalled) return `${provider} sent and took nothing for ${cause.afterMs} ms.`;
  return `The connection to ${provider} failed${code ? ` (${code})` : ''}.`;
}

export function timedOut(provider: string, timeoutMs: number): ModelError {
  return new ModelError(
    { kind: 'later', code: 'TIMEOUT', retryAfterMs: null, counts: true },
    `${provider} gave no complete answer within ${timeoutMs} ms.`,
  );
}

/** The key, and whatever in headers and query is long enough to be one. */
export function secretsOf({ apiKey, headers, query }: ProviderConfig): string[] {
  const others = [...Object.values(headers), ...Object.values(query)];
  return [...(apiKey ? [apiKey] : []), ...others.filter((value) => value.length >= 8)];
}
