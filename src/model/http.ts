/**
 * The adapters' common use of the packages that speak the protocols, openai and @anthropic-ai/sdk:
 * options that switch off what is Winnow's own, and what their errors mean.
 *
 * The packages' retries, time limits, headers and logs are off, and they read nothing from the
 * environment: they retry what costs money (insufficient_quota), ignore long Retry-Afters, and take
 * HTML with status 200 for an answer. What is left of them is the protocol and its types of errors.
 */
import { parseRetryAfter } from '../core/retry-after.ts';
import type { classify, Refusal } from './failure.ts';
import type { Log } from './model.ts';
import { ModelError } from './model-error.ts';
import type { ProviderConfig } from './provider-config.ts';
import { Stalled } from './stream-fetch.ts';
import { BodyTooLarge, NotSent } from './thin-fetch.ts';

/** The largest delay of a timer; the packages' own time limit cannot be switched off. */
const never = 2 ** 31 - 1;

/** Longer waits are a provider's mistake, or a daily quota that a person has to look at. */
const maxRetryAfterMs = 3_600_000;

/** Options of a client of either package for one base URL. */
export function packageOptions(
  { query }: Pick<ProviderConfig, 'query'>,
  { baseURL, fetch }: { baseURL: string; fetch: typeof globalThis.fetch },
) {
  return {
    baseURL,
    defaultQuery: query,
    // The packages look for a key where none is given. The real key is a header of the fetch's own,
    // out of their reach.
    apiKey: 'unused',
    maxRetries: 0,
    timeout: never,
    // At OPENAI_LOG=debug or ANTHROPIC_LOG=debug they would log prompts.
    logLevel: 'off',
    fetch,
  } as const;
}

/** An answer with an error status, as both packages throw it. */
export interface StatusError extends Error {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  /** The `error` of the body. */
  readonly error: unknown;
}

/** The way to read the errors of one protocol and its package. */
export interface Failures {
  isStatusError(error: unknown): error is StatusError;
  /** The error of a fetch, without the package's own around it. */
  causeOf(error: unknown): unknown;
  refusalOf(status: number, error: unknown): Refusal;
  classify: typeof classify;
}

/** The classes of errors that both packages have under the same names. */
interface ErrorClasses {
  APIError: abstract new (...given: never[]) => Error;
  APIConnectionError: abstract new (...given: never[]) => Error;
}

/** The failures of a protocol whose package throws errors of `classes`. */
export function createFailures(
  { APIError, APIConnectionError }: ErrorClasses,
  protocol: Pick<Failures, 'refusalOf' | 'classify'>,
): Failures {
  return {
    ...protocol,
    isStatusError: (error): error is StatusError =>
      error instanceof APIError && 'status' in error && typeof error.status === 'number',
    causeOf: (error) => (error instanceof APIConnectionError ? error.cause : error),
  };
}

export interface FailureOptions {
  /** Named in messages. */
  provider: string;
  /** Cuts a provider's words to what may be shown. */
  quote: (message: string) => string;
}

/** The ModelError for what a package rejected with. */
export function translate(
  error: unknown,
  failures: Failures,
  {
    provider,
    quote,
    log,
    model,
    about,
  }: FailureOptions & { log: Log | null; model: string; about?: object | undefined },
): ModelError {
  if (!failures.isStatusError(error)) {
    return translateTransport(failures.causeOf(error), provider);
  }
  const retryAfterMs = retryAfterOf(error);
  if (retryAfterMs === maxRetryAfterMs) {
    log?.warn(
      { ...about, model, retryAfterMs },
      'The provider asks for an hour or more; waiting an hour',
    );
  }
  // Without a cause: the package's error holds the provider's words as they came.
  const refusal = failures.refusalOf(error.status, error.error);
  return failures.classify(refusal, { provider, quote, retryAfterMs });
}

/** Milliseconds that an error answer asks to wait, at most an hour; null where it does not say. */
export function retryAfterOf({ headers }: StatusError): number | null {
  const options = { nowMs: Date.now(), maxMs: maxRetryAfterMs };
  return parseRetryAfter((name) => headers.get(name), options);
}

/** Resets, refused connections, unknown hosts, bodies cut short or not moving. */
export function translateTransport(error: unknown, provider: string): ModelError {
  const isFree = error instanceof NotSent;
  const cause = isFree ? error.reason : error;
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
    { cause, isFree },
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
