/** The error of a path that has no route. */
import { RouteError } from './route-error.ts';

/** Paths that OpenAI's and Anthropic's packages ask for under a base URL with or without /v1. */
const isWrongBase = /^\/(v1\/v1\/|(chat\/completions|models|batches|messages)(\/|$))/;

const rightBase =
  "the base URL must end with /v1 for OpenAI's packages, and must not for Anthropic's";

/** A RouteError 404 that names the path. `otherwise` follows where the base URL is not at fault. */
export function nothingAt(
  pathname: string,
  { otherwise, details = {} }: { otherwise?: string; details?: Readonly<Record<string, unknown>> },
): RouteError {
  const shown = pathname.length > 100 ? `${pathname.slice(0, 100)}…` : pathname;
  const hint = isWrongBase.test(pathname) ? rightBase : otherwise;
  const message = `There is nothing at ${shown}${hint ? `; ${hint}` : ''}`;
  return new RouteError(404, 'NOT_FOUND', message, { details });
}
