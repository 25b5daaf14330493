/** An operation: params in, prompt and answer schema out, and a parser of answers. Pure, no I/O. */
import type { z } from 'zod';
import type { ModelAnswer } from '../model/model.ts';
import type { AnswerFormat, ChatMessage, Dialect } from '../model/request.ts';
import type { CheckTime } from './check-time.ts';

/** An item as an operation sees it. Of `metadata`, only own properties are read. */
export interface PromptItem {
  content: string;
  metadata: Readonly<Record<string, unknown>> | null;
  /** By which names the text and the id stand in the file; absent where they stand in none. */
  named?: Readonly<NamedParts> | undefined;
  /** The row where it is a complete chat request; only chat has a use for it. */
  request?: Readonly<Record<string, unknown>> | null | undefined;
  /** API for which `request` is written: Anthropic's messages, else OpenAI's chat completions. */
  dialect?: Dialect | undefined;
}

/** Columns of a file that are not metadata, because they hold the text and the id. */
export interface NamedParts {
  content: string | null;
  id: string | null;
  /** Value in the column of the id. Undefined when the row has none. */
  idValue: unknown;
}

/** Parts of items. Items that are equal in all of them have the same prompt. */
export interface TakenParts {
  content: boolean;
  /** Fields by name, `content` left out. */
  fields: readonly string[];
  /** All fields. */
  metadata: boolean;
}

/** The part of a model's answer that operations read. */
type ParsedAnswer = Pick<ModelAnswer, 'text' | 'logprobs'> &
  Partial<Pick<ModelAnswer, 'completion'>>;

/** An operation bound to its params: made once per request or batch, used for every item. */
export interface PreparedOperation {
  /** Metadata fields that the user's template names, without `content`. Empty without one. */
  readonly placeholders: readonly string[];
  /** The metadata field that has the day of each text; null or absent where none is named. */
  readonly referenceField?: string | null;
  /** The parts of an item that its prompt is made of; absent where that is the whole row. */
  readonly takes?: TakenParts;
  /** Why examples cannot be shown as items like this one are, by their positions. */
  exampleProblems?(like: PromptItem): readonly { index: number; message: string }[];
  readonly format: AnswerFormat;
  /** True where the messages say nothing of what the answer's schema has. */
  readonly schemaUnsaid?: boolean;
  /** True where log-probabilities of the answer make a confidence. */
  readonly logprobs: boolean;
  /**
   * The prompt for one item, fixed parts first, the item last. Throws ItemFailure
   * TEMPLATE_FIELD_MISSING and EMPTY_CONTENT.
   */
  messages(item: PromptItem): ChatMessage[];
  /** Body of an item that is a complete request. Sent in place of messages, format and logprobs. */
  readonly body?: (item: PromptItem) => Readonly<Record<string, unknown>>;
  /**
   * Output to store, from the model's answer. Throws InvalidOutput, whose message tells the model
   * what to correct, or ItemFailure when asking again would not help.
   */
  parse(answer: ParsedAnswer): unknown;
  /** Text that the model wrote, if the text of the answer does not contain all of it. */
  readonly written?: (answer: ParsedAnswer) => string;
  /** The typed GraphQL result's fields from a stored output: what `Operation.result` describes. */
  result(output: unknown): Record<string, unknown>;
  /** Confidence of a stored output, 0 to 1; null where nothing says. Absent: no output says it. */
  readonly confidence?: (output: unknown) => number | null;
  /** The provider's whole answer, where the output has it. */
  readonly completion?: (output: unknown) => Record<string, unknown> | null;
  /** CSV columns of the output, in order. Null when only one `output` column of JSON fits. */
  readonly columns: readonly string[] | null;
  /** Cells of an output under the columns, if these are not its members. */
  readonly cells?: (output: unknown) => readonly unknown[];
  /** Members of ours, by the names that outputs write. Such an output holds no object. */
  readonly outputNames?: Readonly<Record<string, string>>;
}

/** The members of stored outputs that can be counted. */
export interface CountedAnswers {
  /** The member that has the label, or with `isList` the labels; null where outputs have none. */
  readonly label: { readonly member: string; readonly isList: boolean } | null;
  /** Members, by name, whose values are of a closed list. */
  readonly fields: readonly string[];
  /** Outputs may have a confidence. */
  readonly hasConfidence: boolean;
}

/**
 * One operation. `params` is the only source of its GraphQL input, its form fields and its stored
 * options; `result` is the only source of its GraphQL result. Descriptions come from zod's `.meta({
 * description })`. Named inputs and enums have their GraphQL name in `.meta({ id })`.
 */
export interface Operation<Params extends z.ZodObject = z.ZodObject> {
  /** Lower case; the GraphQL mutation's name and, in upper case, the enum value. */
  readonly name: string;
  readonly description: string;
  readonly params: Params;
  /** True where every param has a default, so that the mutation's `options` may be left out. */
  readonly optionsOptional: boolean;
  readonly result: z.ZodObject;
  /** The temperature where none is given: 0 for one right answer. Absent: the provider's own. */
  readonly defaultTemperature?: number;
  /**
   * True when rows are whole requests. Such an operation has no synchronous mutation, and its rows
   * come as `requests` or as files of requests.
   */
  readonly whole?: true;
  /** True where equal rows are to get equal answers: by default, these are asked once. */
  readonly deduplicates?: true;
  /**
   * The members of its outputs that can be counted, by the same params; absent where nothing can.
   */
  counted?(params: z.output<Params>): CountedAnswers;
  /** `time` is what checks of answers may take, shared within a request; its own when absent. */
  prepare(params: z.output<Params>, time?: CheckTime): PreparedOperation;
}
