/** Headers that tell OpenAI's and Anthropic's packages whether to send a failed request again. */
import type { RouteError } from './route-error.ts';

type RetryHeaders = Readonly<Record<string, string>>;

/** The packages send a 409 and a 5xx again where nothing says that this does not help. */
export const neverAgain: RetryHeaders = { 'x-should-retry': 'false' };

/** After the time that the failure names, else after `usualSeconds`; never where it cannot help. */
export function againAfter({ details }: RouteError, usualSeconds: number): RetryHeaders {
  const { helpsAgain, retryAfterSeconds } = details;
  if (helpsAgain === false) return neverAgain;
  const seconds = typeof retryAfterSeconds === 'number' ? retryAfterSeconds : usualSeconds;
  return { 'retry-after': String(Math.ceil(seconds)) };
}
