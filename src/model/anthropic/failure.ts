/**
 * What went wrong in a call through @anthropic-ai/sdk, in Winnow's terms.
 */
import { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import { isRecord } from '../../core/json-record.ts';
import { classify, type Refusal, toRefusal } from '../failure.ts';
import type { ModelError } from '../model.ts';
import { translateTransport as translateCause } from '../transport.ts';

/** Anthropic answered, with a status that is no success. */
export function isStatusError(error: unknown): error is APIError<number, Headers> {
  return error instanceof APIError && typeof error.status === 'number';
}

/** The refusal in the body of an error, `{type: "error", error: {type, message}}`, or in the `error` of it. */
export function refusalOf(status: number, body: unknown): Refusal {
  const error = isRecord(body) && isRecord(body.error) ? body.error : body;
  const refusal = toRefusal(status, error);
  const { error_code: code } = isRecord(error) && isRecord(error.details) ? error.details : {};
  return { ...refusal, code: typeof code === 'string' ? code : refusal.code };
}

/** The ModelError of an error answer; `retryAfterMs` is what its headers said. */
export function failureOf(
  refusal: Refusal,
  options: { provider: string; quote: (message: string) => string; retryAfterMs: number | null },
): ModelError {
  return classify({ ...refusal, code: knownCode(refusal) }, options);
}

/**
 * Codes of Anthropic's that stop a batch, by the names that `classify` knows; its types, which it also reads, do the rest. Any other code says
 * less than the words: without it they are read for a credit balance, a model, a prompt that is too long.
 */
function knownCode({ code }: Refusal): string | null {
  if (code === null) return null;
  if (/spend_limit|billing|credit/.test(code)) return 'billing_error';
  if (/organization_on_hold|key_creator|cmek_key_disabled/.test(code)) return 'access_terminated';
  return null;
}

/** Resets, refused connections, unknown hosts, bodies cut short or not moving. */
export function translateTransport(error: unknown, provider: string): ModelError {
  return translateCause(error instanceof APIConnectionError ? error.cause : error, provider);
}
