/**
 * The expected cost and time of an operation over some items with each of some models, from a
 * sample of its prompts. What is not known is null; what is not certain has a range.
 */

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
import { type Cached, cachedOf, costEstimate } from './cost-estimate.ts';
import { countPrompts, type PromptCounts } from './count-prompts.ts';
import { type Estimate, mean, times } from './estimate.ts';
import { promptEstimate } from './prompt-estimate.ts';

/** Rows of which the prompts are counted for a caller, who waits. */
export const sampleSize = 2_000;

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

/**
 * Share by which such a tokenizer may be off for short answers of JSON, where a token more in each
 * is much: the sandbox counts 28 % more than o200k for a label of the demo.
 */
const inexactAnswerMargin = 0.3;
/** A model's record in earlier batches of the same owner. */
export interface ModelHistory {
  /** Answers of the same operation with the same options; null without one. */
  answers: AnswerHistory | null;
  /** Tokens of counted prompts, and those that were billed; null where too few answers tell. */
  billed: BilledPrompts | null;
}

export interface QuoteOptions {
  /** Kind of the operation. */
  kind: string;
  options: Readonly<Record<string, unknown>>;
  /** One for each model. */
  plans: readonly Plan[];
  /** Samples in an order without a rule; read as far as there is time. */
  items: AsyncIterable<readonly PromptItem[]>;
  /** All items, those included that cannot be asked. */
  total: number;
  /** Number of those that have an earlier one that is identical, unaskable ones included. */
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
  /** For each model the tokens of all prompts by the count alone, without what history tells. */
  countedTokens: number[];
}

/** Throws RATE_LIMITED where too many are being made. */
export async function makeQuote(counter: Counter, given: QuoteOptions): Promise<Quoted> {
  const { kind, options, plans, items, total, identical, patient } = given;
  const fixed = fixedAnswers(options);
  const answers = fixed ?? [];
  const distinct = identical > 0;
  const sample = await countPrompts(counter, { plans, items, answers, distinct, patient });
  const { seen, unaskable, unaskableTwins, repeated, hasMedia } = sample;
  const askable = total - scaled(unaskable, seen, total);
  // Blank rows are identical too: they are left out as blank already, and not once more as twins.
  const twins = Math.max(0, identical - scaled(unaskableTwins, unaskable, total - askable));
  // What the sample has is there in any case.
  const asked = seen === 0 ? 0 : Math.max(askable - twins, seen - unaskable - repeated);
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
  const cached = cachedOf({ plan, counts, prices, billed: history.billed }, prefix);
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

function scaled(count: number, of: number, all: number): number {
  return of === 0 ? 0 : Math.round((count * all) / of);
}
