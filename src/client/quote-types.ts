/** Costs of batches, before and after they run. */
import type { Execution, UsageSum } from './types.ts';

/** A figure that is not known yet, with the range in which it lies in 19 cases of 20. */
export interface Estimate {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The expected cost and time of an operation with one model. Costs are null where no price is
 * known.
 */
export interface ModelQuote {
  /** As provider/name. */
  readonly model: string;
  readonly inputTokens: Estimate;
  readonly outputTokens: Estimate;
  /** The ground of the estimate of the answers, the surest first. */
  readonly outputBasis: 'fixed' | 'preview' | 'history' | 'guessed';
  /** Tokens at the beginning of every prompt that are the same for all items. */
  readonly prefixTokens: number;
  /** False: counted with a tokenizer that resembles the model's. */
  readonly tokenizerExact: boolean;
  /** Items that do not fit into the model's context. Null where its size is unknown. */
  readonly tooLongItems: number | null;
  /** Live calls that find nothing in the provider's prompt cache. */
  readonly liveUsd: Estimate | null;
  /** Live calls that do. Null also where the beginning is too short to be cached. */
  readonly liveCachedUsd: Estimate | null;
  /** Through the provider's batch API. Null also where the provider has none. */
  readonly providerBatchUsd: Estimate | null;
  /** Reasons why the quote is uncertain, one sentence each. */
  readonly caveats: readonly string[];
}

/** The expected cost and time of an operation over some items. */
export interface Quote {
  readonly items: number;
  /** Items whose prompts were counted: all, or a sample of up to 2,000. */
  readonly sampledItems: number;
  /** Items of the sample that cannot be asked: blank, or without a field of the template. */
  readonly unaskableItems: number;
  /** Items that equal an earlier one. Null above 100,000 items, and where each is asked. */
  readonly identicalItems: number | null;
  /** One for each model, in the order in which the models were named. */
  readonly models: readonly ModelQuote[];
}

/** The expected cost and time of a whole batch, estimated from its answers so far. */
export interface Projection {
  /** Answers that the estimate rests on. */
  readonly answers: number;
  /** Share of the answers that succeeded, 0 to 1. */
  readonly succeeded: number;
  /** The whole batch, with what was spent already. Null where the price is unknown. */
  readonly costUsd: Estimate | null;
  /** The same if the rest is called live. */
  readonly liveUsd: Estimate | null;
  /** The same if the rest goes through the provider's batch API. */
  readonly providerBatchUsd: Estimate | null;
  /** Time that live calls need for the rest. Null where the pace is unknown. */
  readonly liveSeconds: Estimate | null;
}

/** The spending of the key's owner in one month: batches, deleted ones too, and calls at once. */
export interface Spending {
  /** In UTC, as 2026-11. */
  readonly month: string;
  /** Limit of the owner for a month. Null where the server sets none. */
  readonly budgetUsd: number | null;
  /**
   * Rest of it, less the expected cost of calls under way. Null without a limit, and for a month
   * that is over.
   */
  readonly remainingUsd: number | null;
  /** Over all models and executions. */
  readonly usage: UsageSum;
  /** The highest cost first. */
  readonly byModel: readonly ModelSpending[];
}

/** The spending on one model in one execution. */
export interface ModelSpending {
  /** As provider/name. */
  readonly model: string;
  /** Calls at once and previews count as live. */
  readonly execution: Execution;
  readonly usage: UsageSum;
}
