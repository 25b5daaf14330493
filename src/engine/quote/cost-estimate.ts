/** The cost of a model's calls together, with and without its provider's prompt cache. */
import { noTokens } from '../../core/usage.ts';
import type { BilledPrompts } from '../../db/quotes.ts';
import type { ModelPrices, Prices } from '../../model/prices.ts';
import type { Plan } from '../run/plan.ts';
import type { PromptCounts } from './count-prompts.ts';
import type { Estimate } from './estimate.ts';

/**
 * Tokens of each prompt that are read from the provider's cache, and written to it by the first
 * one.
 */
export interface Cached {
  tokens: number;
  /** OpenAI fills its cache by itself; others bill the writing. */
  isWritten: boolean;
}

/** OpenAI keeps beginnings in steps: https://platform.openai.com/docs/guides/prompt-caching */
const keptStep = 128;

interface CachedInput {
  plan: Plan;
  counts: PromptCounts;
  prices: ModelPrices;
  billed: BilledPrompts | null;
}

/** Null where the beginning is too short, or nothing is known of a cache. */
export function cachedOf(
  { plan, counts, prices, billed }: CachedInput,
  prefix: number,
): Cached | null {
  const { dialect, promptCache } = plan.model;
  const least = promptCache?.leastTokens ?? null;
  if (least === null || prices.cachedInputPrice === null) return null;
  // What is marked is whole messages; OpenAI finds what else is the same.
  const isMarked = dialect === 'anthropic';
  const tokens = isMarked
    ? Math.floor(counts.wholePrefix * (billed?.ratio ?? 1))
    : Math.floor(prefix / keptStep) * keptStep;
  return tokens < least ? null : { tokens, isWritten: isMarked };
}

export function costEstimate(
  prices: Prices,
  {
    prompt,
    answer,
    asked,
    cached,
  }: { prompt: Estimate; answer: Estimate; asked: number; cached?: Cached | undefined },
): Estimate | null {
  const cost = (end: keyof Estimate) => {
    const tokens = { ...noTokens, inputTokens: prompt[end], outputTokens: answer[end] };
    const cachedTokens = Math.min(cached?.tokens ?? 0, prompt[end]);
    const later = prices.costUsd({ ...tokens, cachedInputTokens: cachedTokens });
    const first = prices.costUsd({
      ...tokens,
      cacheWriteTokens: cached?.isWritten ? cachedTokens : 0,
    });
    if (later === null || first === null || asked === 0) return asked === 0 ? 0 : null;
    return first + later * (asked - 1);
  };
  const [expected, low, high] = [cost('expected'), cost('low'), cost('high')];
  return expected === null || low === null || high === null ? null : { expected, low, high };
}
