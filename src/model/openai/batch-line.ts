/**
 * A line of an output or error file of OpenAI's Batch API. Source:
 * https://platform.openai.com/docs/api-reference/batch/request-output.
 */

import { parseKeepingNumbers } from '../../core/exact-json.ts';
import { isRecord } from '../../core/json-record.ts';
import { readAnswer } from '../answer.ts';
import type { BatchLine } from '../batch-api.ts';
import { classify, type Refusal, toRefusal } from '../failure.ts';
import { ModelError } from '../model.ts';
import type { Prices } from '../prices.ts';
import { unusable } from '../read.ts';
import { likelyStatus } from '../result-line.ts';
import { openAiError } from '../thin-fetch.ts';

export interface LineOptions {
  /** Named in messages. */
  provider: string;
  /** Those of a batch. */
  prices: Prices;
  /** Cuts a provider's words to what may be shown. */
  quote: (message: string) => string;
  /** Whether any whole completion is an answer, as for live calls. */
  whole: boolean;
  /**
   * Takes in a refusal; true where the same request will be sent without what was refused from now
   * on.
   */
  learn: (refusal: Refusal) => boolean;
}

/** Longer ones are not ours. */
const maxCustomIdChars = 512;

/** `line` null is one that was too long to be read. */
export function readBatchLine(line: string | null, options: LineOptions): BatchLine {
  const parsed = line === null ? null : parse(line, options.whole);
  const customId = isRecord(parsed) ? parsed.custom_id : null;
  if (!isRecord(parsed) || typeof customId !== 'string' || customId.length > maxCustomIdChars) {
    return { kind: 'unreadable' };
  }
  const { error } = parsed;
  const response = isRecord(parsed.response) ? parsed.response : null;
  const status = response ? Number(response.status_code ?? 200) : null;
  if (error != null) {
    const { code, type } = toRefusal(0, error);
    if (code === 'batch_expired') return { kind: 'expired', customId };
    if (code === 'batch_cancelled' || code === 'batch_canceled')
      return { kind: 'cancelled', customId };
    const given = status !== null && status >= 400 ? status : likelyStatus({ code, type });
    return { kind: 'error', customId, error: failureOf(given, error, options) };
  }
  if (response === null || status === null) {
    const message = `${options.provider} returned neither a response nor an error.`;
    return { kind: 'error', customId, error: unusable(message) };
  }
  if (!(status < 400)) {
    return { kind: 'error', customId, error: failureOf(status, response.body, options) };
  }
  try {
    return { kind: 'answer', customId, answer: readAnswer(response.body, options) };
  } catch (failure) {
    if (!(failure instanceof ModelError)) throw failure;
    return { kind: 'error', customId, error: failure };
  }
}

/**
 * A refused parameter of ours is not a failure of the item: a live call would have been sent again
 * at once, so it is one for later.
 */
function failureOf(
  status: number,
  error: unknown,
  { provider, quote, whole, learn }: LineOptions,
): ModelError {
  const refusal = toRefusal(Number.isNaN(status) ? 500 : status, openAiError(error));
  const failure = classify(refusal, { provider, quote, retryAfterMs: null });
  return !whole && learn(refusal) ? unusable(failure.message) : failure;
}

/** A whole completion is passed on: its numbers stay as they came. */
function parse(line: string, whole: boolean): unknown {
  try {
    return whole ? parseKeepingNumbers(line) : JSON.parse(line);
  } catch {
    return null;
  }
}
