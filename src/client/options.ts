/** Options of operations. They are GraphQL's, in camel case; enums are in lower case. */
import type { AnswerSchema, EnrichField } from './schema-types.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** Settings of the call to the model. */
export interface ModelOptions {
  /** As provider/name, e.g. openai/gpt-4.1-mini. Absent: the server's default model. */
  model?: string | null | undefined;
  /** Randomness of the answer, 0 to 2. */
  temperature?: number | null | undefined;
  /** Tokens of one answer at most. */
  maxOutputTokens?: number | null | undefined;
  topP?: number | null | undefined;
  seed?: number | null | undefined;
  /** In the provider's words, e.g. low. */
  reasoningEffort?: string | null | undefined;
  /** Merged into the request body last. */
  extraBody?: JsonObject | null | undefined;
}

/** Settings of the prompt. */
export interface PromptOptions extends ModelOptions {
  /** Replaces the built-in one; {categories}, {fields} and {instructions} stand for its parts. */
  systemPrompt?: string | null | undefined;
  /** Replaces the user message; {content} and {any_metadata_field} stand for the item. */
  userPromptTemplate?: string | null | undefined;
  /** True: the metadata stands before the content. */
  includeContext?: boolean | null | undefined;
  /** Day on which the texts were written: YYYY-MM-DD, or {field}. */
  referenceDate?: string | null | undefined;
}

export interface LabelOptions<Category extends string = string> extends PromptOptions {
  /** 2 to 500 categories, each once. */
  categories: readonly Category[];
  /** Meaning of categories, by their names. */
  categoryDescriptions?: Partial<Readonly<Record<NoInfer<Category>, string>>> | null | undefined;
  /** True: every category that applies, or none. */
  multiLabel?: boolean | null | undefined;
  /** True: the label of an item that fits no category is null. */
  allowNone?: boolean | null | undefined;
  /** Rules beside the built-in ones. */
  instructions?: string | null | undefined;
  /** Texts with their right labels, at most 100. */
  examples?:
    | readonly {
        readonly content: string;
        readonly labels: readonly NoInfer<Category>[];
        readonly metadata?: JsonObject | null | undefined;
      }[]
    | null
    | undefined;
}

/** A text with its right answer. */
export interface Example {
  readonly content: string;
  readonly output: JsonObject;
  readonly metadata?: JsonObject | null | undefined;
}

export interface ExtractOptions<Schema extends AnswerSchema = AnswerSchema> extends PromptOptions {
  /** Required unless instructions are given. */
  schema?: Schema | null | undefined;
  /** The task of the extraction, in words. */
  instructions?: string | null | undefined;
  /** At most 100. */
  examples?: readonly Example[] | null | undefined;
}

/** Form of an answer. */
export type ResponseFormat<Schema extends AnswerSchema = AnswerSchema> =
  | { type: 'text' | 'json_object'; schema?: null | undefined }
  | { type: 'json_schema'; schema: Schema };

export interface SummarizeOptions<Schema extends AnswerSchema = AnswerSchema>
  extends PromptOptions {
  /** Rules beside the built-in ones. */
  instructions?: string | null | undefined;
  /** Absent: text. */
  responseFormat?: ResponseFormat<Schema> | null | undefined;
}

export interface EnrichOptions<Fields extends readonly EnrichField[] = readonly EnrichField[]>
  extends PromptOptions {
  /** 1 to 100 fields: names, or names with a type and more. */
  fields: Fields;
  /** Valid values by field name, for values that are known only now. */
  runtimeCategories?: Readonly<Record<string, readonly string[]>> | null | undefined;
  /** At most 100. */
  examples?: readonly Example[] | null | undefined;
}

export interface RunOptions<Schema extends AnswerSchema = AnswerSchema> extends PromptOptions {
  /** The task. One of instructions, systemPrompt and userPromptTemplate is required. */
  instructions?: string | null | undefined;
  /** Name of the task, shown to the model. */
  operation?: string | null | undefined;
  /** Absent: text. */
  responseFormat?: ResponseFormat<Schema> | null | undefined;
}

export interface ChatOptions<Schema extends AnswerSchema = AnswerSchema> extends ModelOptions {
  /** Absent: any answer is valid. */
  responseSchema?: Schema | null | undefined;
}
