/** The number of tokens that a prompt is billed as, from a sample that was counted. */
import type { BilledPrompts } from '../../db/quotes.ts';
import type { AnswerHistory } from './answer-tokens.ts';
import type { PromptCounts } from './count-prompts.ts';
import { type Estimate, mean, normalErrors } from './estimate.ts';

/** Share by which a tokenizer that only resembles the model's may be off. */
const inexactMargin = 0.05;
/** Share by which prompts may be off that are counted as earlier ones were billed. */
const billedMargin = 0.03;

/** Tokens of one item's prompts on average, repairs included. */
export function promptEstimate(
  { tokenizer, prompts }: PromptCounts,
  {
    asked,
    billed,
    answers,
  }: { asked: number; billed: BilledPrompts | null; answers: AnswerHistory | null },
): Estimate {
  const counted = mean(prompts);
  const count = prompts.length;
  const variance =
    prompts.reduce((sum, tokens) => sum + (tokens - counted) ** 2, 0) / Math.max(1, count - 1);
  const unseen = asked === 0 ? 0 : Math.max(0, 1 - count / asked);
  const error = normalErrors * Math.sqrt((variance / Math.max(1, count)) * unseen);
  const [one, ...others] = billed ? billedWays(counted, billed) : [counted];
  const isCorrected = billed !== null && billed.ratio !== 1;
  const margin = isCorrected ? billedMargin : tokenizer.exact ? 0 : inexactMargin;
  const ratio = billed?.ratio ?? 1;
  // What the same operation was billed has its repairs in it.
  const requests = requestsOf(billed?.isSame ? null : answers);
  return {
    expected: one * requests.expected,
    low: Math.max(0, (Math.min(one, ...others) - error * ratio) * (1 - margin)) * requests.low,
    high: (Math.max(one, ...others) + error * ratio) * (1 + margin) * requests.high,
  };
}

/**
 * Tokens that a prompt of so many counted ones may be billed as, the likely number first. Where all
 * tokens are counted wrong, prompts of another length are billed at the same ratio; where a part of
 * each is not billed, such as the schema, they are billed with the same difference.
 */
function billedWays(counted: number, { ratio, countedTokens }: BilledPrompts): [number, number] {
  return [counted * ratio, counted + (ratio - 1) * countedTokens];
}

/**
 * Requests of an item: as often as earlier ones were repaired, within what so many of them tell.
 */
function requestsOf(answers: AnswerHistory | null): Estimate {
  if (!answers) return { expected: 1, low: 1, high: 1 };
  const { requestsPerItem: expected, answers: count } = answers;
  const error = normalErrors * Math.sqrt((expected - 1) / count);
  return { expected, low: Math.max(1, expected - error), high: expected + error };
}
