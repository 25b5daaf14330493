/** What kept an answer of a provider from coming here, in Winnow's terms. */
import { ModelError } from './model.ts';
import { Stalled } from './stream-fetch.ts';
import { BodyTooLarge } from './thin-fetch.ts';

/** Resets, refused connections, unknown hosts, bodies cut short or not moving: what a fetch rejected with. */
export function translateTransport(cause: unknown, provider: string): ModelError {
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
