/** What went wrong in a call through the openai package: an error answer, for `classify`, or what kept one from coming. */
import { APIConnectionError, APIError } from 'openai';
import type { ModelError } from '../model.ts';
import { translateTransport as translateCause } from '../transport.ts';

/** The provider answered, with a status that is no success. */
export function isStatusError(error: unknown): error is APIError<number, Headers> {
  return error instanceof APIError && typeof error.status === 'number';
}

export function translateTransport(error: unknown, provider: string): ModelError {
  return translateCause(error instanceof APIConnectionError ? error.cause : error, provider);
}
