/** What the client takes and gives, apart from the options of operations. */

/** A text with its custom id and metadata. */
export interface Item {
  /** Text of the item, sent exactly as given. */
  content: string;
  /** Key of the item, unique within the call. Absent: its index. */
  customId?: string | null | undefined;
  /** Fields for {placeholders} in a template; outputs repeat them. */
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
}

/** Texts, or items, or both. */
export type Items = readonly (string | Item)[];

/** What every call takes beside its own options. */
export interface CallOptions {
  /** Ends the call, which then throws Aborted. */
  signal?: AbortSignal | undefined;
}

export type OperationName = 'label' | 'extract' | 'summarize' | 'enrich' | 'run' | 'chat';
export type Execution = 'live' | 'provider_batch';
export type BatchStatus =
  | 'draft'
  | 'queued'
  | 'processing'
  | 'paused'
  | 'cancelling'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'expired';
export type ItemStatus =
  | 'pending'
  | 'processing'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'expired';
export type ItemErrorCode =
  | 'CONTENT_FILTERED'
  | 'CONTEXT_TOO_LONG'
  | 'EMPTY_CONTENT'
  | 'INTERNAL'
  | 'INVALID_OUTPUT'
  | 'INVALID_REQUEST'
  | 'PROVIDER_ERROR'
  | 'RATE_LIMITED'
  | 'REFUSED'
  | 'TEMPLATE_FIELD_MISSING'
  | 'TIMEOUT'
  | 'TRUNCATED'
  | 'WORKER_CRASHED';
export type BatchErrorCode =
  | 'DUPLICATE_CUSTOM_ID'
  | 'INTERNAL'
  | 'INVALID_INPUT_FILE'
  | 'INVALID_KEY'
  | 'PROVIDER_REJECTED_FILE'
  | 'QUOTA_EXHAUSTED'
  | 'UNKNOWN_MODEL';
export type PauseReason = 'budget' | 'owner_budget' | 'preview' | 'requested';
export type ConfidenceMethod = 'logprobs' | 'model_reported' | 'agreement';

/** Requests, tokens and cost at the provider. */
export interface Usage {
  readonly requests: number;
  /** All prompt tokens, those read from and written to the provider's prompt cache included. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  /** Tokens of the answers, the thinking included. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** Requests that may have been billed and of which no usage came; costUsd is without them. */
  readonly unmeteredRequests: number;
  /** By the price in use. Null when the price of the model is not known. */
  readonly costUsd: number | null;
}

/** The same of many items together. */
export interface UsageSum extends Usage {
  /** What the provider's prompt cache saved; negative where writing to it cost more. */
  readonly cacheSavedUsd: number | null;
}

/** Why an item has no output. */
export interface ItemError {
  readonly code: ItemErrorCode;
  readonly message: string;
}

/** Items of a batch that were answered without a request of their own. */
export interface ReusedAnswers {
  /** Items that took the answer of an identical row. Null where none were looked for. */
  readonly identicalRows: number | null;
  /** What these items would have cost. Null before the first answer, and without a price. */
  readonly savedUsd: number | null;
}

/** Items of a batch by status. The numbers always add up to the total. */
export interface BatchCounts {
  readonly total: number;
  readonly pending: number;
  readonly processing: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
}

/** A batch as it was when the server told of it. */
export interface BatchState {
  readonly id: string;
  /** As given, else that of the file. */
  readonly name: string | null;
  readonly status: BatchStatus;
  readonly operation: OperationName;
  /** As provider/name. */
  readonly model: string;
  readonly execution: Execution;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Share of items in a final status, 0 to 1. */
  readonly progress: number;
  readonly counts: BatchCounts;
  /** Of all that was asked so far. */
  readonly usage: UsageSum;
  /** Requests sent again because a worker died before the answer was stored. */
  readonly resentRequests: number;
  /** Null while identical rows are still being looked for, and without `deduplicate`. */
  readonly reused: ReusedAnswers | null;
  /** Why the whole batch was stopped, for people. Null unless it failed. */
  readonly error: string | null;
  /** The same for programs. */
  readonly errorCode: BatchErrorCode | null;
  /** Failed items by code, the most frequent first. */
  readonly errorSummary: readonly {
    readonly code: ItemErrorCode;
    readonly count: number;
    readonly message: string;
  }[];
  /** Null before the first answer. */
  readonly itemsPerSecond: number | null;
  readonly estimatedCompletionAt: Date | null;
  /** Why the batch waits. Null while calls go out. */
  readonly waiting: {
    readonly reason: string;
    readonly since: Date | null;
    readonly until: Date | null;
  } | null;
  /** Why the batch sends nothing new. Null unless it is paused. */
  readonly pauseReason: PauseReason | null;
  /** The same in words, with the sums and with what lets the batch go on. */
  readonly pauseMessage: string | null;
  readonly pausedSince: Date | null;
  /** When a paused batch goes on by itself. Null where it waits for `resume`. */
  readonly resumesAt: Date | null;
  /** What the batch was expected to take. Null until its rows were counted. */
  readonly quote: ModelQuote | null;
  /** How many rows the preview runs. Null for a batch without one. */
  readonly previewItems: number | null;
  /** The most that the batch may cost. Null without a limit. */
  readonly maxCostUsd: number | null;
  /** Whether items that a provider job leaves undone are called live. */
  readonly rescue: boolean;
  readonly rescuedAt: Date | null;
  readonly webhookUrl: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly completedAt: Date | null;
  readonly cancelInitiatedAt: Date | null;
  /** When unfinished items become expired. */
  readonly expiresAt: Date;
}

/** One item of a batch, with its answer as soon as one is stored. */
export interface BatchItem<Output = unknown> {
  /** Position among the items, from 0 without gaps. */
  readonly index: number;
  /** Number of the row in its file, from 1. Null for inline items. */
  readonly row: number | null;
  readonly customId: string;
  readonly status: ItemStatus;
  /** Null until the item succeeded. */
  readonly output: Output | null;
  /** Null unless the item failed. */
  readonly error: ItemError | null;
  /** Last answer of the model that was refused, at most 2,000 characters. */
  readonly rejectedAnswer: string | null;
  /** Null without a final answer. */
  readonly usage: Usage | null;
  /** True: the answer, or the error, was taken from an identical row; nothing was sent. */
  readonly cached: boolean;
  /** Requests whose answer counted against the item. */
  readonly attempts: number;
  /** The text. Only with include: ['content']. */
  readonly content?: string;
  /** Other fields as given. Only with include: ['metadata']. */
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  /** Body of the first request. Only with include: ['request']. */
  readonly request?: Readonly<Record<string, unknown>> | null;
}

export type FileFormat =
  | 'csv'
  | 'json'
  | 'jsonl'
  | 'text'
  | 'openai_jsonl'
  | 'anthropic_jsonl'
  | 'openai_results';

/** A dataset that was uploaded. Any number of batches can read it. */
export interface WinnowFile {
  readonly id: string;
  readonly name: string;
  readonly format: FileFormat;
  readonly sizeBytes: number;
  /** Number of stored rows, which are the items of a batch. */
  readonly itemCount: number;
  readonly columns: readonly string[];
  readonly contentField: string | null;
  readonly customIdField: string | null;
  readonly rejectedCount: number;
  /** Rows that were refused, at most the first 1,000, numbered from 1. */
  readonly rejections: readonly { readonly row: number; readonly reason: string }[];
  readonly blankCount: number;
  readonly encoding: string | null;
  /** What was guessed, decoded, skipped or renamed. */
  readonly warnings: readonly string[];
  readonly createdAt: Date;
}

/** A model that options can name, with its price in USD per million tokens. */
export interface Model {
  /** As provider/name. */
  readonly id: string;
  readonly provider: string;
  readonly inputPrice: number | null;
  readonly outputPrice: number | null;
  /** Of prompt tokens that the prompt cache has. Null when unknown. */
  readonly cachedInputPrice: number | null;
  /** Of prompt tokens that are written to it. Null when unknown, or without a price of its own. */
  readonly cacheWritePrice: number | null;
  /** Null where the model has no price. */
  readonly priceSource: 'configured' | 'list' | 'list_similar' | null;
  /** The most tokens that a prompt and its answer may have together. Null when unknown. */
  readonly contextTokens: number | null;
  /** Whether the provider has a batch API. Null when unknown. */
  readonly providerBatch: boolean | null;
}

/** A figure that is not known yet, with the range in which it lies in 19 cases of 20. */
export interface Estimate {
  readonly expected: number;
  readonly low: number;
  readonly high: number;
}

/** What an operation would take with one model. Costs are null where no price is known. */
export interface ModelQuote {
  /** As provider/name. */
  readonly model: string;
  readonly inputTokens: Estimate;
  readonly outputTokens: Estimate;
  /** What the estimate of the answers rests on, the surest first. */
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
  /** What makes the quote uncertain, one sentence each. */
  readonly caveats: readonly string[];
}

/** What an operation over some items would take. */
export interface Quote {
  readonly items: number;
  /** Items whose prompts were counted: all, or a sample of up to 2,000. */
  readonly sampledItems: number;
  /** Items of the sample that lack a field of the template. */
  readonly unaskableItems: number;
  /** Items that equal an earlier one. Null above 100,000 items, and for run and chat. */
  readonly identicalItems: number | null;
  /** One for each model, in the order in which the models were named. */
  readonly models: readonly ModelQuote[];
}

/** What a batch will have taken when it ends, estimated from its answers so far. */
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
  /** What live calls need for the rest. Null where the pace is unknown. */
  readonly liveSeconds: Estimate | null;
}

/** What the owner of the key spent in one month: batches, deleted ones too, and calls at once. */
export interface Spending {
  /** In UTC, as 2026-11. */
  readonly month: string;
  /** Over all models and executions. */
  readonly usage: UsageSum;
  /** The highest cost first. */
  readonly byModel: readonly ModelSpending[];
}

/** What was spent on one model in one execution. */
export interface ModelSpending {
  /** As provider/name. */
  readonly model: string;
  /** Calls at once and previews count as live. */
  readonly execution: Execution;
  readonly usage: UsageSum;
}

/** One line of a file of batch results. */
export interface ParsedResult<Output = unknown> {
  readonly customId: string;
  readonly status: ItemStatus;
  readonly output: Output | null;
  readonly error: ItemError | null;
  readonly rejectedAnswer: string | null;
}

/** What a client of graphql-ws is given to subscribe to. */
export interface SubscribePayload {
  query: string;
  variables: Record<string, unknown>;
}

/** Where a client of graphql-ws puts what it gets. */
export interface SubscribeSink {
  next(value: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

/**
 * Subscribes over a client of graphql-ws: `(payload) => client.iterate(payload)`, or
 * `(payload, sink) => client.subscribe(payload, sink)`.
 */
export type Subscribe = (
  payload: SubscribePayload,
  sink: SubscribeSink,
) => AsyncIterable<unknown> | (() => void);
