/** A batch and its items, as the client gives them. */
import type { ModelQuote } from './quote-types.ts';
import type {
  BatchErrorCode,
  BatchStatus,
  Execution,
  ItemError,
  ItemErrorCode,
  ItemStatus,
  OperationName,
  PauseReason,
  Usage,
  UsageSum,
} from './types.ts';

/** Items of a batch that were answered without a request of their own. */
export interface ReusedAnswers {
  /** Items that took the answer of an identical row. Null where none were looked for. */
  readonly identicalRows: number | null;
  /** Cost that these items would have had. Null before the first answer, and without a price. */
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
  /** Usage of all that was asked so far. */
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
  /** The estimate of the batch when it was submitted. Null until its rows were counted. */
  readonly quote: ModelQuote | null;
  /** Number of rows that the preview runs. Null for a batch without one. */
  readonly previewItems: number | null;
  /** The most that the batch may cost. Null without a limit. */
  readonly maxCostUsd: number | null;
  /** True where items that a provider job leaves undone are called live. */
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
