/** A request to a model, in words of no provider. */
import type { TokenRatio } from './limits/token-ratio.ts';
import type { CacheMark } from './prompt-cache.ts';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/**
 * The form of the answer. `schema` is a JSON Schema; `strict` says that it is written in the subset
 * that strict structured output takes. Where the schema is not strict, or the provider has no
 * json_schema, the adapter asks for a json_object and states the schema in the system message; the
 * operation validates the answer either way.
 */
export type AnswerFormat =
  | { type: 'text' }
  | { type: 'json'; name: string; schema: JsonSchema; strict: boolean };

export type JsonSchema = { readonly [key: string]: unknown };

/** The sampling options that every operation takes; absent means the provider's default. */
export interface Sampling {
  temperature?: number | undefined;
  /** The temperature where the caller gives none; it gives way to all that the caller asks for. */
  defaultTemperature?: number | undefined;
  topP?: number | undefined;
  seed?: number | undefined;
  maxOutputTokens?: number | undefined;
  reasoningEffort?: string | undefined;
  /** Merged into the request body last, for what one provider alone knows. */
  extraBody?: Record<string, unknown> | undefined;
}

export type ModelRequest = PromptRequest | BodyRequest;

/** The part of a request beside its messages. */
interface Planned {
  /**
   * Ratio of the plan, whose requests learn from each other's answers. Absent for a request of
   * none.
   */
  tokenRatio?: TokenRatio | undefined;
  /** Fields of its lines in the log: of its request, or its batch. */
  about?: object | undefined;
  /** A header of the request, not of its body. Absent: it is not sent. */
  traceparent?: string | undefined;
}

/** A request that Winnow words. */
export interface PromptRequest extends Sampling, Planned {
  messages: readonly ChatMessage[];
  format: AnswerFormat;
  /** True where messages do not have the schema: it is stated where the model may not see it. */
  schemaUnsaid?: boolean | undefined;
  /** Ask for log-probabilities of the answer's tokens; dropped where the model refuses them. */
  logprobs: boolean;
  /** Asks for the provider's prompt cache; dropped where the model refuses that. */
  cacheMark?: CacheMark | undefined;
}

/**
 * A complete request body of the caller's own, sent as it is but for the model, what the sampling
 * options set, and `stream`. Nothing of it is dropped when the model refuses it, and any whole
 * completion is an answer: tool calls, a length stop, several choices.
 */
export interface BodyRequest extends Sampling, Planned {
  body: Readonly<Record<string, unknown>>;
  /**
   * The API that the body is written for; OpenAI's chat completions when absent. The body is
   * translated where the provider speaks another API.
   */
  dialect?: Dialect | undefined;
}

/** The shapes of complete requests: OpenAI's chat completions and Anthropic's messages. */
export type Dialect = 'openai' | 'anthropic';
