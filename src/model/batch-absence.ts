/** What it means that something of a batch API is not there: unlike in a live call, that is about the API, a batch or its results, and not about the model. */
import { ModelError } from './model.ts';

/** What a call is about. */
export type Asked = 'the API' | 'a batch' | 'a file';

/** The ModelError for such a status; null for any other. `words` are the provider's own, fit to be shown. */
export function absenceOf(
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
    default: {
      const never: never = asked;
      throw new TypeError(String(never));
    }
  }
}

function gone(message: string): ModelError {
  return new ModelError({ kind: 'item', code: 'INVALID_REQUEST' }, message);
}
