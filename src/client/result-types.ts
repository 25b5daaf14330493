/** Answers of operations on items at once. */
import type { ConfidenceMethod, ItemError, Usage } from './types.ts';

/** The fields of every operation's results. */
export interface ItemResult {
  readonly index: number;
  readonly customId: string;
  /** Null for an item with a result. */
  readonly error: ItemError | null;
  /** Last answer of the model that was refused, at most 2,000 characters. */
  readonly rejectedAnswer: string | null;
  /** Null when nothing was sent. */
  readonly usage: Usage | null;
}

export interface LabelResult<Category extends string = string> extends ItemResult {
  /** Null with multiLabel, when no category fits (allowNone), and when the item failed. */
  readonly label: Category | null;
  /** Without multiLabel: the one label. Null when the item failed. */
  readonly labels: readonly Category[] | null;
  /** Probability that the answer is right, 0 to 1. Null when nothing supports one. */
  readonly confidence: number | null;
  readonly confidenceMethod: ConfidenceMethod | null;
}

export interface DataResult<Data> extends ItemResult {
  /** Null when the item failed. */
  readonly data: Data | null;
}

export interface SummarizeResult<Data = Record<string, unknown>> extends DataResult<Data> {
  /** Null with a JSON response format, and when the item failed. */
  readonly summary: string | null;
}

export interface RunResult<Data = Record<string, unknown>> extends DataResult<Data> {
  /** Null with a JSON response format, and when the item failed. */
  readonly text: string | null;
}

/** Answers of a call, one for each item, in their order. */
export interface Answers<Result> {
  readonly results: readonly Result[];
  /** Usage of all items together. */
  readonly usage: Usage;
  /** Model that answered, as provider/name. */
  readonly model: string;
}
