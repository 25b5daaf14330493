/**
 * What a failed call to OpenAI's batch API means. Unlike in a live call, a status that says that something is not there is about the API, a batch or a file.
 */
import { classify, toRefusal } from './failure.ts';
import { ModelError } from './model.ts';
import { isStatusError, translateTransport } from './openai-failure.ts';
import { unusable } from './openai-job.ts';
import { parseRetryAfter } from './retry-after.ts';

/** What a call is about. */
export type Asked = 'the API' | 'a batch' | 'a file';

/** The ModelError for what a call was rejected with. */
export function translateCall(
  error: unknown,
  {
    asked,
    provider,
    quote,
  }: { asked: Asked; provider: string; quote: (message: string) => string },
): ModelError {
  if (error instanceof ModelError) return error;
  // A 200 that claims to be JSON.
  if (error instanceof SyntaxError) {
    return unusable(`${provider} answered with something that is not JSON.`);
  }
  if (!isStatusError(error)) return translateTransport(error, provider);
  const refusal = toRefusal(error.status, error.error);
  const absence = refusal.code === 'model_not_found' ? null : absenceOf(error.status, asked);
  if (absence) {
    const words = quote(refusal.message);
    const said = words ? `${error.status}: ${words}` : String(error.status);
    return new ModelError(absence.failure, absence.message(provider, said));
  }
  const retryAfterMs = parseRetryAfter((header) => error.headers.get(header), Date.now());
  return classify(refusal, { provider, quote, retryAfterMs });
}

interface Absence {
  failure: ModelError['failure'];
  message: (provider: string, said: string) => string;
}

/** What it means that something is not there; null where the status does not say so. */
function absenceOf(status: number, asked: Asked): Absence | null {
  const isGone = status === 404 || status === 410;
  switch (asked) {
    case 'the API':
      return isGone || status === 405 || status === 501 ? noBatchApi : null;
    case 'a batch':
      return isGone ? noBatch : null;
    case 'a file':
      return isGone ? noFile : null;
    default: {
      const never: never = asked;
      throw new TypeError(String(never));
    }
  }
}

const noBatchApi: Absence = {
  failure: { kind: 'batch', code: 'UNKNOWN_MODEL' },
  message: (provider, said) =>
    `${provider} has no batch API (${said}): use execution LIVE, or a model of a provider that has one.`,
};
const noBatch: Absence = {
  failure: { kind: 'item', code: 'INVALID_REQUEST' },
  message: (provider, said) => `${provider} does not have this provider batch (${said}).`,
};
const noFile: Absence = {
  failure: { kind: 'item', code: 'INVALID_REQUEST' },
  message: (provider, said) => `${provider} does not have this file of results any more (${said}).`,
};
