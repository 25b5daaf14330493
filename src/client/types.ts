/** Inputs and outputs of the client, apart from options, batches and quotes. */

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

/** Settings of every call beside its own options. */
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
  /** Cost that the provider's prompt cache saved; negative where writing to it cost more. */
  readonly cacheSavedUsd: number | null;
}

/** Why an item has no output. */
export interface ItemError {
  readonly code: ItemErrorCode;
  readonly message: string;
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
  /** Notes on what was guessed, decoded, skipped or renamed. */
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
  /** Price of prompt tokens that the prompt cache has. Null when unknown. */
  readonly cachedInputPrice: number | null;
  /**
   * Price of prompt tokens that are written to it. Null when unknown, or without a price of its
   * own.
   */
  readonly cacheWritePrice: number | null;
  /** Null where the model has no price. */
  readonly priceSource: 'configured' | 'list' | 'list_similar' | null;
  /** The most tokens that a prompt and its answer may have together. Null when unknown. */
  readonly contextTokens: number | null;
  /** True where the provider has a batch API. Null when unknown. */
  readonly providerBatch: boolean | null;
}

/** One line of a file of batch results. */
export interface ParsedResult<Output = unknown> {
  readonly customId: string;
  readonly status: ItemStatus;
  readonly output: Output | null;
  readonly error: ItemError | null;
  readonly rejectedAnswer: string | null;
}
