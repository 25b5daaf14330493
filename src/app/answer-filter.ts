/** Which answers of a batch a caller asks for, as far as its operation has such answers. */
import { BadUserInput } from '../core/errors.ts';
import type { AnswerFilter } from '../db/answer-filter.ts';
import type { BatchRecord } from '../db/batches.ts';
import { countedAnswers } from '../engine/summaries/counted-answers.ts';

/** Labels that one call may name. */
export const maxLabels = 1_000;

/** Undefined and null ask for nothing. */
export interface AskedAnswers {
  labels?: readonly string[] | null | undefined;
  /** 0 to 1. */
  confidenceBelow?: number | null | undefined;
  /** 0 to 1. */
  confidenceFrom?: number | null | undefined;
}

/**
 * Undefined where all items are asked for. Throws BadUserInput at `labelsPath` for labels of an
 * operation without any, and of answers that were deleted; of one without confidences, no answer is
 * as sure as that.
 */
export function answerFilterOf(
  batch: Pick<BatchRecord, 'operation' | 'options' | 'contentDeletedAt'>,
  { labels, confidenceBelow, confidenceFrom }: AskedAnswers,
  labelsPath: string,
): AnswerFilter | undefined {
  const from = confidenceFrom ?? null;
  const below = confidenceBelow ?? null;
  const isByConfidence = from !== null || below !== null;
  if (labels == null && !isByConfidence) return undefined;
  const { label, hasConfidence } = countedAnswers(batch);
  if (labels != null && label === null) {
    const message = `must be absent: ${batch.operation} gives no labels`;
    throw new BadUserInput([{ path: labelsPath, message }]);
  }
  if (labels != null && batch.contentDeletedAt !== null) {
    const message = `must be absent: the answers of this batch were deleted at ${batch.contentDeletedAt.toISOString()}`;
    throw new BadUserInput([{ path: labelsPath, message }]);
  }
  return {
    ...(labels != null && label ? { labels: { ...label, wanted: labels } } : {}),
    ...(isByConfidence ? { confidence: { from, below }, none: !hasConfidence } : {}),
  };
}

/** True where answers of a batch can have a confidence. */
export function hasConfidences(batch: Pick<BatchRecord, 'operation' | 'options'>): boolean {
  return countedAnswers(batch).hasConfidence;
}
