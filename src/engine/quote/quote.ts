/**
 * What an operation over some items would take with each of some models, from a sample of its
 * prompts. What is not known is null; what is not certain has a range.
 */

import { noTokens } from '../../core/usage.ts';
import type { Counter } from '../../counting/counter.ts';
import type { BilledPrompts } from '../../db/quotes.ts';
import type { ModelPrices, Prices } from '../../model/prices.ts';
import type { PromptItem } from '../../operations/operation.ts';
import type { Plan } from '../run/plan.ts';
import {
  type AnswerEstimate,
  type AnswerHistory,
  type EstimateBasis,
  estimateAnswer,
  fixedAnswers,
  thinks,
} from './answer-tokens.ts';
import { countPrompts, type PromptCounts } from './count-prompts.ts';

/** Rows of which the prompts are counted for a caller, who waits. */
export const sampleSize = 2_000;

/** A figure with the range in which it lies in 19 cases of 20. */
export interface Estimate {
  expected: number;
  low: number;
  high: number;
}

export interface ModelQuote {
  /** `provider/name` */
  model: string;
  inputTokens: Estimate;
  outputTokens: Estimate;
  outputBasis: EstimateBasis;
  liveUsd: Estimate | null;
  liveCachedUsd: Estimate | null;
  providerBatchUsd: Estimate | null;
  prefixTokens: number;
  tokenizerExact: boolean;
  tooLongItems: number | null;
  /** Sentences for people. */
  caveats: string[];
}

/** What is known of a model from earlier batches of the same owner. */
export interface ModelHistory {
  /** Of the same operation with the same options; null without one. */
  answers: AnswerHistory | null;
  /** How prompts that were counted have been billed; null where too few answers tell. */
  billed: BilledPrompts | null;
}

export interface QuoteOptions {
  /** Of the operation. */
  kind: string;
  options: Readonly<Record<string, unknown>>;
  /** One for each model. */
  plans: readonly Plan[];
  /** Samples in an order without a rule; read as far as there is time. */
  items: AsyncIterable<readonly PromptItem[]>;
  /** All items, those included that cannot be asked. */
  total: number;
  /** Of those, items that are not asked, because an earlier one is identical. */
  identical: number;
  pricesOf(model: string): ModelPrices;
  historyOf(model: string): Promise<ModelHistory>;
  /** Waits behind all that somebody waits for. */
  patient: boolean;
}

export interface Quoted {
  models: ModelQuote[];
  sampledItems: number;
  unaskableItems: number;
  /** Of each model: tokens of all prompts by the count alone, without what history tells. */
  countedTokens: number[];
}

/** Throws RATE_LIMITED where too many are being made. */
export async function makeQuote(counter: Counter, given: QuoteOptions): Promise<Quoted> {
  const { kind, options, plans, items, total, identical, patient } = given;
  const fixed = fixedAnswers(options);
  const answers = fixed ?? [];
  const distinct = identical > 0;
  const sample = await countPrompts(counter, { plans, items, answers, distinct, patient });
  const { seen, unaskable, repeated, hasMedia } = sample;
  const askable = seen === 0 ? 0 : Math.round((total * (seen - unaskable)) / seen);
  // Rows that cannot be asked may be identical too; what the sample has is there in any case.
  const asked = Math.max(askable - identical, seen - unaskable - repeated);
  const models = await Promise.all(
    plans.map(async (plan, index) => {
      const { id } = plan.model;
      return quoteModel({
        plan,
        kind,
        counts: sample.models[index] as PromptCounts,
        hasFixed: fixed !== null,
        hasMedia,
        asked,
        prices: given.pricesOf(id),
        history: await given.historyOf(id),
      });
    }),
  );
  return {
    models,
    sampledItems: seen,
    unaskableItems: unaskable,
    countedTokens: sample.models.map(({ prompts }) => mean(prompts) * asked),
  };
}

interface ModelInput {
  plan: Plan;
  kind: string;
  counts: PromptCounts;
  hasFixed: boolean;
  hasMedia: boolean;
  asked: number;
  prices: ModelPrices;
  history: ModelHistory;
}

function quoteModel(input: ModelInput): ModelQuote {
  const { plan, kind, counts, hasFixed, asked, prices, history } = input;
  const { model, sampling } = plan;
  const { tokenizer, prompts } = counts;
  const ratio = history.billed?.ratio ?? 1;
  const isThinking = thinks(model.name, plan);
  // Answers of other models say nothing of what this one thinks.
  const answers = isThinking && !history.answers?.isOwn ? null : history.answers;
  const prompt = promptEstimate(counts, { asked, billed: history.billed, answers });
  const answer = estimateAnswer(plan, {
    kind,
    fixed: hasFixed ? counts.answers : null,
    history: answers,
    limits: counts.answerLimits,
    asked,
    margin: tokenizer.exact ? 0 : inexactAnswerMargin,
    inputTokens: Math.max(0, mean(prompts) - counts.wholePrefix),
    thinks: isThinking,
  });
  const prefix = counts.prefix * ratio;
  const costs = (prices: Prices, cached?: Cached) =>
    costEstimate(prices, { prompt, answer, asked, cached });
  const isPriced = prices.source !== null;
  const cached = cachedOf(input, prefix);
  const limit = prices.contextTokens;
  const most = sampling.maxOutputTokens ?? 0;
  const tooLong = limit === null ? 0 : prompts.filter((tokens) => tokens * ratio + most > limit);
  return {
    model: model.id,
    inputTokens: times(prompt, asked),
    outputTokens: times(answer, asked),
    outputBasis: answer.basis,
    liveUsd: costs(prices.live),
    liveCachedUsd: cached && costs(prices.live, cached),
    providerBatchUsd: model.batches === null ? null : costs(prices.batch),
    prefixTokens: Math.floor(prefix),
    tokenizerExact: tokenizer.exact,
    tooLongItems:
      tooLong === 0 ? (limit === null ? null : 0) : scaled(tooLong.length, prompts.length, asked),
    caveats: caveatsOf(input, answer, isPriced),
  };
}

/** Tokens of one item's prompts on average, repairs included. */
function promptEstimate(
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
  const error = 1.96 * Math.sqrt((variance / Math.max(1, count)) * unseen);
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
 * What a prompt of so many counted tokens may be billed as, the likely one first. Where all tokens
 * are counted wrong, prompts of another length are billed at the same ratio; where a part of each
 * is not billed, such as the schema, they are billed with the same difference.
 */
function billedWays(counted: number, { ratio, countedTokens }: BilledPrompts): [number, number] {
  return [counted * ratio, counted + (ratio - 1) * countedTokens];
}

/** Of an item: as often as earlier ones were repaired, within what so many of them tell. */
function requestsOf(answers: AnswerHistory | null): Estimate {
  if (!answers) return { expected: 1, low: 1, high: 1 };
  const { requestsPerItem: expected, answers: count } = answers;
  const error = 1.96 * Math.sqrt((expected - 1) / count);
  return { expected, low: Math.max(1, expected - error), high: expected + error };
}

/** How far a tokenizer that only resembles the model's may be off. */
const inexactMargin = 0.05;
/**
 * The same of short answers of JSON, where a token more in each is much: the sandbox counts 28 %
 * more than o200k for a label of the demo.
 */
const inexactAnswerMargin = 0.3;
/** How far prompts may be off that are counted as earlier ones were billed. */
const billedMargin = 0.03;

/** What of each prompt is read from the provider's cache, and written to it by the first one. */
interface Cached {
  tokens: number;
  /** OpenAI fills its cache by itself; others bill the writing. */
  isWritten: boolean;
}

/** OpenAI keeps beginnings in steps: https://platform.openai.com/docs/guides/prompt-caching */
const keptStep = 128;

/** Null where the beginning is too short, or nothing is known of a cache. */
function cachedOf({ plan, counts, prices, history }: ModelInput, prefix: number): Cached | null {
  const { dialect, promptCache } = plan.model;
  const least = promptCache?.leastTokens ?? null;
  if (least === null || prices.cachedInputPrice === null) return null;
  // What is marked is whole messages; OpenAI finds what else is the same.
  const isMarked = dialect === 'anthropic';
  const tokens = isMarked
    ? Math.floor(counts.wholePrefix * (history.billed?.ratio ?? 1))
    : Math.floor(prefix / keptStep) * keptStep;
  return tokens < least ? null : { tokens, isWritten: isMarked };
}

function costEstimate(
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

function caveatsOf(
  { plan, counts, hasMedia, prices, history }: ModelInput,
  answer: AnswerEstimate,
  isPriced: boolean,
): string[] {
  const { model } = plan;
  const isThinking = answer.basis === 'GUESSED' && thinks(model.name, plan);
  const said: [boolean, string][] = [
    [!isPriced, `No price of ${model.id} is known; PRICES of the server can name one.`],
    [prices.source === 'LIST_SIMILAR', `The price is that of a model with a similar name.`],
    [isThinking, 'The model thinks before it answers; run a preview.'],
    [
      answer.basis === 'GUESSED' && !isThinking,
      'The length of the answers is a guess until a batch or a preview with these options has run.',
    ],
    [
      !counts.tokenizer.exact && history.billed === null,
      'The tokens were counted with a tokenizer that resembles the one of the model.',
    ],
    [hasMedia, 'Images and other media are not counted.'],
    [counts.namesOther, 'Requests that name another model are counted and priced as this one.'],
  ];
  return said.filter(([holds]) => holds).map(([, sentence]) => sentence);
}

function times({ expected, low, high }: Estimate, count: number): Estimate {
  return {
    expected: Math.round(expected * count),
    low: Math.round(low * count),
    high: Math.round(high * count),
  };
}

function scaled(count: number, of: number, all: number): number {
  return of === 0 ? 0 : Math.round((count * all) / of);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
