/** The common part of the lines of a batch's results, whatever their protocol. */
import type { BatchLine } from './batch-api.ts';
import type { Refusal } from './failure.ts';
import type { Failures } from './http.ts';
import type { ModelAnswer } from './model.ts';
import { ModelError } from './model-error.ts';
import { unusable } from './read.ts';
import type { ReadOptions } from './send.ts';

/** Prices are those of a batch. */
export interface LineOptions extends ReadOptions {
  /** As BatchOptions.learn. */
  learn(refusal: Refusal): boolean;
}

/** An answer, or why `read` did not find one. */
export function answerLine(customId: string, read: () => ModelAnswer): BatchLine {
  try {
    return { kind: 'answer', customId, answer: read() };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { kind: 'error', customId, error };
  }
}

const unbilled = { tokens: null, costUsd: null, isFree: true };

/** A refused parameter of ours is a failure for later: a live call would be sent again at once. */
export function refusedLine(
  customId: string,
  refusal: Refusal,
  { classify, provider, quote, whole, learn }: LineOptions & Pick<Failures, 'classify'>,
): BatchLine {
  const error = classify(refusal, { provider, quote, retryAfterMs: null });
  const isOurs = !whole && learn(refusal);
  return { kind: 'error', customId, error: isOurs ? unusable(error.message, unbilled) : error };
}
