/** Settings of a submit, and the answers of its items. */
import type { Batch } from './batch.ts';
import type {
  ChatOptions,
  EnrichOptions,
  ExtractOptions,
  LabelOptions,
  RunOptions,
  SummarizeOptions,
} from './options.ts';
import type { AnswerSchema, DataOf, EnrichData, EnrichField } from './schema-types.ts';
import type { CallOptions, ConfidenceMethod, Execution, Item, Items } from './types.ts';

/** Where the items are: a file, or the items themselves. */
export type Source =
  | { readonly id: string }
  | { readonly fileId: string }
  | { readonly texts: readonly string[] }
  | { readonly items: readonly Item[] }
  | { readonly requests: readonly Readonly<Record<string, unknown>>[] }
  | Items;

/** Settings of a submit beside its operation. */
export interface SubmitSettings extends CallOptions {
  /** An array of more than 10,000 is uploaded as a file by itself. */
  source: Source;
  /** For people, at most 200 characters. Absent: the name of the file. */
  name?: string | null | undefined;
  /** Stored with the batch. */
  metadata?: Readonly<Record<string, unknown>> | null | undefined;
  /** Absent: live. */
  execution?: Execution | null | undefined;
  /** provider_batch only: what a job leaves undone is called live. */
  rescue?: boolean | null | undefined;
  /**
   * The most that the batch may cost, in USD: it is paused before the item that would go beyond it.
   * Needs a model with a known price.
   */
  maxCostUsd?: number | null | undefined;
  /**
   * So many rows run first, 10 to 1,000, spread over the input and called live. Then the batch is
   * paused; `resume` runs the rest and keeps these answers.
   */
  preview?: number | null | undefined;
  /**
   * True: identical rows are asked once and share the answer. Absent: true for label, extract,
   * enrich and summarize, false for run and chat.
   */
  deduplicate?: boolean | null | undefined;
  /**
   * True where the common beginning of all prompts is marked for the provider's prompt cache.
   * Absent: where that pays. No effect for chat.
   */
  promptCaching?: boolean | null | undefined;
  /** Address that is called when the batch ends. */
  webhookUrl?: string | null | undefined;
  /** Absent: a new one, so that a submit that is sent again is still one batch. */
  idempotencyKey?: string | null | undefined;
  /** False: the batch waits as a draft for `start`. */
  autoStart?: boolean | null | undefined;
  /** 1 s to 30 days. */
  expiresInSeconds?: number | null | undefined;
  /** Seconds after its end until the batch is deleted. Absent: as the server does. */
  retainSeconds?: number | null | undefined;
  /** Column or field of the file with the text. */
  contentField?: string | null | undefined;
  /** Column or field of the file with the custom ids. */
  customIdField?: string | null | undefined;
  /** Before every custom id. */
  customIdPrefix?: string | null | undefined;
}

export interface OptionsByOperation {
  label: LabelOptions;
  extract: ExtractOptions;
  summarize: SummarizeOptions;
  enrich: EnrichOptions;
  run: RunOptions;
  chat: ChatOptions;
}

/** Settings with exactly this operation. */
type With<Settings, Name extends keyof OptionsByOperation, Options> = Settings & {
  [Own in Name]: Options;
} & { [Other in Exclude<keyof OptionsByOperation, Name>]?: never };

/** Settings with exactly one operation. */
export type OneOperation<Settings> = {
  [Name in keyof OptionsByOperation]: With<Settings, Name, OptionsByOperation[Name]>;
}[keyof OptionsByOperation];

type Submit<Name extends keyof OptionsByOperation, Options> = With<SubmitSettings, Name, Options>;

/** A submit with exactly one operation. */
export type SubmitOptions = OneOperation<SubmitSettings>;

/** The `output` of an item of `label`. With multiLabel it has labels, else a label. */
export interface LabelOutput<Category extends string = string> {
  readonly label?: Category | null;
  readonly labels?: readonly Category[];
  readonly confidence: number | null;
  readonly confidenceMethod: ConfidenceMethod | null;
}

/** Submits a batch, whose items have outputs of their operation's type. */
export interface SubmitBatch {
  <const Category extends string>(
    options: Submit<'label', LabelOptions<Category>>,
  ): Promise<Batch<LabelOutput<Category>>>;
  <const Schema extends AnswerSchema>(
    options: Submit<'extract', ExtractOptions<Schema>>,
  ): Promise<Batch<DataOf<Schema>>>;
  <const Fields extends readonly EnrichField[]>(
    options: Submit<'enrich', EnrichOptions<Fields>>,
  ): Promise<Batch<EnrichData<Fields>>>;
  (options: SubmitOptions): Promise<Batch>;
}
