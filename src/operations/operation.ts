/** What an operation is: params in, prompt and answer schema out, and a parser for what comes back. Pure, no I/O. */
import type { z } from 'zod';
import type { AnswerFormat, ChatMessage, TokenLogprob } from '../model/model.ts';

/** An item as an operation sees it. `metadata` holds the caller's own fields; only own properties are ever read. */
export interface PromptItem {
  content: string;
  metadata: Readonly<Record<string, unknown>> | null;
}

/** An operation bound to its params: made once per request or batch, used for every item. */
export interface PreparedOperation {
  /** The metadata fields that the user's template names (`content` left out); empty without a template. */
  readonly placeholders: readonly string[];
  readonly format: AnswerFormat;
  /** True where log-probabilities of the answer make a confidence. */
  readonly logprobs: boolean;
  /** The prompt for one item, fixed parts first, the item last. Throws ItemFailure TEMPLATE_FIELD_MISSING. */
  messages(item: PromptItem): ChatMessage[];
  /**
   * The output that is stored, from the model's answer. Throws InvalidOutput, whose message tells the model what to mend.
   */
  parse(answer: { text: string; logprobs: readonly TokenLogprob[] | null }): unknown;
  /** The typed GraphQL result's fields from a stored output: what `Operation.result` describes. */
  result(output: unknown): Record<string, unknown>;
  /** CSV columns that the output spreads over, in order; null when only one `output` column of JSON fits. */
  readonly columns: readonly string[] | null;
}

/**
 * One operation. `params` is the one source of its GraphQL input, its HTTP form fields and its stored options;
 * `result` the one source of its typed GraphQL result. Descriptions are theirs, by zod's `.meta({ description })`;
 * named inputs and enums carry `.meta({ id })`, which is their GraphQL name.
 */
export interface Operation<Params extends z.ZodObject = z.ZodObject> {
  /** Lower case; the GraphQL mutation's name and, in upper case, the enum value. */
  readonly name: string;
  readonly description: string;
  readonly params: Params;
  /** True where every param has a default, so that the mutation's `options` may be left out. */
  readonly optionsOptional: boolean;
  readonly result: z.ZodObject;
  prepare(params: z.output<Params>): PreparedOperation;
}
