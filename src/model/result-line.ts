/**
 * A line of the file in which a provider's batch API answers: OpenAI's output and error files
 * (https://platform.openai.com/docs/api-reference/batch/request-output), which others have taken
 * over, and Anthropic's results
 * (https://docs.anthropic.com/en/api/retrieving-message-batch-results). Trusting none of it, as
 * with answers that come at once.
 */
import { type BatchErrorCode, type ItemErrorCode, itemErrorCodes } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import { readAnswer } from './answer.ts';
import { toCompletion } from './completion-shapes.ts';
import { classify, toRefusal } from './failure.ts';
import type { ModelAnswer } from './model.ts';
import { ModelError } from './model-error.ts';
import { quote } from './redact.ts';

/** A line's outcome of its request. Text is empty where the answer is tool calls alone. */
export type LineOutcome =
  | ({ kind: 'answer' } & Pick<ModelAnswer, 'text' | 'completion'>)
  /** `answer`: what the model had written all the same. */
  | { kind: 'failed'; code: ItemErrorCode; message: string; answer?: string | null }
  | { kind: 'expired' }
  | { kind: 'cancelled' };

const provider = 'the provider';
const shown = (message: string) => quote(message);

/** The outcome of one parsed line. Messages hold of the provider's words what may be quoted. */
export function readResultLine(line: unknown): LineOutcome {
  if (!isRecord(line)) return unusable('The line must be a JSON object.');
  if (isRecord(line.result)) return readAnthropicResult(line.result);
  const response = isRecord(line.response) ? line.response : null;
  const status = Number(response?.status_code ?? 200);
  if (line.error != null) return readError(line.error, status >= 400 ? status : null);
  if (!response) return unusable('The line has neither a response nor an error.');
  const { body } = response;
  if (status < 400) return readBody(body);
  return readError(isRecord(body) ? (body.error ?? body) : body, status);
}

function readAnthropicResult({ type, message, error }: Record<string, unknown>): LineOutcome {
  switch (type) {
    case 'succeeded':
      return readBody(message);
    case 'canceled':
      return { kind: 'cancelled' };
    case 'expired':
      return { kind: 'expired' };
    case 'errored':
      return readError(isRecord(error) ? (error.error ?? error) : error, null);
    default:
      return unusable('The line has a result of a type that is not known.');
  }
}

function readBody(body: unknown): LineOutcome {
  const completion = toCompletion(body);
  if (isRecord(completion) && completion.error != null) return readError(completion.error, null);
  try {
    const answer = readAnswer(completion, {
      provider,
      prices: { costUsd: () => null },
      quote: shown,
      whole: false,
      toolCalls: true,
    });
    return { kind: 'answer', text: answer.text, completion: answer.completion };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const { message, answer } = error;
    return { kind: 'failed', code: itemCodeOf(error), message, answer };
  }
}

/** `status` null: none was sent, and the error's own words for itself stand in. */
function readError(error: unknown, status: number | null): LineOutcome {
  const { code, type, message } = toRefusal(0, error);
  if (code === 'batch_expired') return { kind: 'expired' };
  if (code === 'batch_cancelled' || code === 'batch_canceled') return { kind: 'cancelled' };
  // Winnow's own output files have its own codes.
  const own = itemErrorCodes.find((name) => name.toLowerCase() === code);
  if (own) return { kind: 'failed', code: own, message: shown(message) };
  const likely = status ?? likelyStatus({ code, type });
  const refusal = classify(toRefusal(likely, error), {
    provider,
    quote: shown,
    retryAfterMs: null,
  });
  if (status !== null) {
    return { kind: 'failed', code: itemCodeOf(refusal), message: refusal.message };
  }
  const name = shown(code ?? type ?? 'no code');
  return {
    kind: 'failed',
    code: itemCodeOf(refusal),
    message: `${provider} did not answer (${name})${message ? `: ${shown(message)}` : '.'}`,
  };
}

/** The HTTP status of an error by OpenAI's code or Anthropic's type; 500 where both are unknown. */
export function likelyStatus({ code, type }: { code: string | null; type: string | null }): number {
  return statuses.get(code ?? '') ?? statuses.get(type ?? '') ?? 500;
}

const statuses: ReadonlyMap<string, number> = new Map([
  ['invalid_request', 400],
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_timeout', 408],
  ['rate_limit_exceeded', 429],
  ['rate_limit_error', 429],
  ['timeout_error', 504],
  ['overloaded_error', 529],
]);

function itemCodeOf({ failure }: ModelError): ItemErrorCode {
  return failure.kind === 'batch' ? ofItem[failure.code] : failure.code;
}

/** A failure that would stop a batch here is the item's own where its line ran elsewhere. */
const ofItem: Readonly<Record<BatchErrorCode, ItemErrorCode>> = {
  INVALID_KEY: 'INVALID_REQUEST',
  UNKNOWN_MODEL: 'INVALID_REQUEST',
  QUOTA_EXHAUSTED: 'RATE_LIMITED',
  PROVIDER_REJECTED_FILE: 'INVALID_REQUEST',
  DUPLICATE_CUSTOM_ID: 'INVALID_REQUEST',
  INVALID_INPUT_FILE: 'INVALID_REQUEST',
  INTERNAL: 'INTERNAL',
};

function unusable(message: string): LineOutcome {
  return { kind: 'failed', code: 'PROVIDER_ERROR', message };
}
