/** What a failed call to OpenAI's batch API means. */
import { type Asked, absenceOf } from '../batch-absence.ts';
import { classify, toRefusal } from '../failure.ts';
import { ModelError } from '../model.ts';
import { parseRetryAfter } from '../retry-after.ts';
import { isStatusError, translateTransport } from './failure.ts';
import { unusable } from './job.ts';

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
  const words = quote(refusal.message);
  const absence =
    refusal.code === 'model_not_found' ? null : absenceOf(error.status, { asked, provider, words });
  if (absence) return absence;
  const retryAfterMs = parseRetryAfter((header) => error.headers.get(header), Date.now());
  return classify(refusal, { provider, quote, retryAfterMs });
}
