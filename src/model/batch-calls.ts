/** Calls of a provider's batch API: their deadlines, and their failures as ModelErrors. */
import { follow, withDeadline } from '../core/deadline.ts';
import { type Failures, retryAfterOf, timedOut, translateTransport } from './http.ts';
import { ModelError } from './model-error.ts';
import type { ProviderConfig } from './provider-config.ts';
import { unusable } from './read.ts';
import { quote, secretsOf } from './redact.ts';

/** The subject of a call: a status of "not there" is about the subject, not about the model. */
type Asked = 'the API' | 'a batch' | 'a file';

export interface BatchCalls {
  /** Cuts a provider's words to what may be shown. */
  show(message: string): string;
  /**
   * Runs one call. It ends with `signal` and, unless it is a `stream`, after the time limit.
   * Rejects with a ModelError, or with the reason of `signal`.
   */
  ask<T>(
    call: { asked: Asked; signal: AbortSignal; isStream?: boolean },
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
  /** The pieces of an answer that is a stream, or none. Rejects as `ask` does. */
  stream<T>(
    call: { asked: Asked; signal: AbortSignal },
    open: (signal: AbortSignal) => Promise<AsyncIterable<T> | null>,
  ): AsyncGenerator<T>;
}

export function createBatchCalls({
  config,
  timeoutMs,
  failures,
}: {
  config: ProviderConfig;
  timeoutMs: number;
  failures: Failures;
}): BatchCalls {
  const provider = config.name;
  const secrets = secretsOf(config);
  const show = (message: string) => quote(message, { secrets });
  const late = () => timedOut(provider, timeoutMs);

  function translate(error: unknown, asked: Asked): ModelError {
    if (error instanceof ModelError) return error;
    // A 200 that claims to be JSON.
    if (error instanceof SyntaxError) {
      return unusable(`${provider} returned a body that is not JSON.`);
    }
    if (!failures.isStatusError(error)) {
      return translateTransport(failures.causeOf(error), provider);
    }
    const { status } = error;
    const refusal = failures.refusalOf(status, error.error);
    const isModel = refusal.code === 'model_not_found';
    const words = show(refusal.message);
    const absence = isModel ? null : absenceOf(status, { asked, provider, words });
    const retryAfterMs = retryAfterOf(error);
    return absence ?? failures.classify(refusal, { provider, quote: show, retryAfterMs });
  }

  return {
    show,
    async ask({ asked, signal, isStream = false }, work) {
      signal.throwIfAborted();
      try {
        const afterMs = isStream ? null : timeoutMs;
        return await withDeadline({ signal, afterMs, late }, work);
      } catch (error) {
        throw signal.aborted ? signal.reason : translate(error, asked);
      }
    },
    async *stream({ asked, signal }, open) {
      signal.throwIfAborted();
      const { controller, leave } = follow(signal);
      try {
        const pieces = await open(controller.signal);
        if (pieces) yield* pieces;
      } catch (error) {
        throw signal.aborted ? signal.reason : translate(error, asked);
      } finally {
        leave();
      }
    },
  };
}

/** The ModelError for a status that says that something is not there; null for any other. */
function absenceOf(
  status: number,
  { asked, provider, words }: { asked: Asked; provider: string; words: string },
): ModelError | null {
  const isGone = status === 404 || status === 410;
  const said = words ? `${status}: ${words}` : String(status);
  switch (asked) {
    case 'the API':
      if (!isGone && status !== 405 && status !== 501) return null;
      return new ModelError(
        { kind: 'batch', code: 'UNKNOWN_MODEL' },
        `${provider} has no batch API (${said}): use execution LIVE, or a model of a provider that has one.`,
      );
    case 'a batch':
      return isGone ? gone(`${provider} does not have this provider batch (${said}).`) : null;
    case 'a file':
      return isGone
        ? gone(`${provider} does not have this file of results any more (${said}).`)
        : null;
    default:
      throw new TypeError(asked satisfies never);
  }
}

function gone(message: string): ModelError {
  return new ModelError({ kind: 'item', code: 'INVALID_REQUEST' }, message);
}
