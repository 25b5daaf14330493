/** The errors of @anthropic-ai/sdk, and of Anthropic's protocol. */
import { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import { isRecord } from '../../core/json.ts';
import { classify, type Refusal, toRefusal } from '../failure.ts';
import { createFailures } from '../http.ts';
import { likelyStatus } from '../result-line.ts';

export const anthropicFailures = createFailures(
  { APIError, APIConnectionError },
  {
    refusalOf,
    classify: (refusal, options) => classify({ ...refusal, code: knownCode(refusal) }, options),
  },
);

/** The refusal in the body of an error, `{type, error: {type, message}}`, or in its `error`. */
function refusalOf(status: number, body: unknown): Refusal {
  const error = isRecord(body) && isRecord(body.error) ? body.error : body;
  const refusal = toRefusal(status, error);
  const { error_code: code } = isRecord(error) && isRecord(error.details) ? error.details : {};
  return { ...refusal, code: typeof code === 'string' ? code : refusal.code };
}

/** The refusal in an error that came with status 200: in a batch's result, or in a stream. */
export function refusalWithin(body: unknown): Refusal {
  const { code, type } = refusalOf(0, body);
  return refusalOf(likelyStatus({ code, type }), body);
}

/**
 * Anthropic's codes that stop a batch, by the names that `classify` knows. It also reads
 * Anthropic's types. Any other code says less than the words: without it they are read for a credit
 * balance, a model or a prompt that is too long.
 */
function knownCode({ code }: Refusal): string | null {
  if (code === null) return null;
  if (/spend_limit|billing|credit/.test(code)) return 'billing_error';
  if (/organization_on_hold|key_creator|cmek_key_disabled/.test(code)) return 'access_terminated';
  return null;
}
