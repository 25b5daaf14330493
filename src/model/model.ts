/**
 * What the rest of Winnow knows of language models: a request, an answer, and three kinds of
 * failure. Types only; the adapters beside this file speak to providers.
 */

import type { BatchErrorCode, ItemErrorCode } from '../core/errors.ts';
import type { Tokens } from '../core/usage.ts';
import type { BatchApi } from './batch-api.ts';
import type { RateHeaders } from './limits/rate-headers.ts';
import type { TokenRatio } from './limits/token-ratio.ts';
import type { CacheMark, PromptCache } from './prompt-cache.ts';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/**
 * How the answer must look. `schema` is a JSON Schema; `strict` says that it is written in the
 * subset that strict structured output takes. Where the schema is not strict, or the provider has
 * no json_schema, the adapter asks for a json_object and states the schema in the system message;
 * the operation validates the answer either way.
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

/** What all requests of one plan share, and learn from each other's answers. */
interface Planned {
  /** Of the plan. Absent for a request of none. */
  tokenRatio?: TokenRatio | undefined;
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

export interface TokenLogprob {
  token: string;
  logprob: number;
}

/** A complete answer: the model stopped by itself, or any answer to a body request. */
export interface ModelAnswer {
  /** The content of the first choice; empty where tool calls alone answered a body request. */
  text: string;
  /** The whole answer, as the provider sent it: a chat completion, or a message of Anthropic's. */
  completion: Readonly<Record<string, unknown>>;
  /** The same as JSON, to the letter; absent where it was read from a file. */
  json?: string;
  tokens: Tokens;
  /** USD; null when the model has no known price. */
  costUsd: number | null;
  logprobs: readonly TokenLogprob[] | null;
}

/** One event of a streamed answer, in the dialect of its request. */
export interface StreamEvent {
  /** Its name, which Anthropic's events have and OpenAI's have not. */
  type: string | null;
  /** JSON in one line. */
  data: string;
}

/** The answer to a body request as it comes. */
interface AnswerStream {
  /**
   * Ends where the answer is whole; OpenAI's `[DONE]` is left out. Throws a ModelError where the
   * answer breaks off, or the signal's reason when aborted. To be read to its end, or returned.
   */
  events: AsyncGenerator<StreamEvent, void, undefined>;
  /** What the provider has counted so far; null where it has told nothing. */
  spent(): { tokens: Tokens; costUsd: number | null } | null;
}

/**
 * Three kinds of failure, told apart by what the caller should do:
 * - `later`: the same request may succeed in a while (429, 408, 409, 5xx, reset, stall). `counts`
 *   is false where waiting costs the item nothing (429); true where the tries are limited (5xx,
 *   timeouts, resets).
 * - `item`: this item will not succeed as it is (400, 422, refusal, content filter, truncation).
 * - `batch`: no item will (401, 403, unknown model, quota): stop instead of burning them.
 */
export type ModelErrorKind =
  | {
      kind: 'later';
      code: 'RATE_LIMITED' | 'TIMEOUT' | 'PROVIDER_ERROR';
      retryAfterMs: number | null;
      counts: boolean;
    }
  | { kind: 'item'; code: ItemErrorCode }
  | { kind: 'batch'; code: BatchErrorCode };

export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly failure: ModelErrorKind;
  /** Tokens that the provider billed all the same, as for refusals and truncated answers. */
  readonly tokens: Tokens | null;
  readonly costUsd: number | null;
  /** What the model had written all the same; null where nothing. */
  readonly answer: string | null;
  /** The field of a complete request that the provider refuses; null where it names none. */
  readonly param: string | null;
  /** The provider bills nothing: it refused the request, or got none. */
  readonly isFree: boolean;

  constructor(
    failure: ModelErrorKind,
    message: string,
    options: {
      cause?: unknown;
      tokens?: Tokens | null;
      costUsd?: number | null;
      answer?: string | null;
      param?: string | null;
      isFree?: boolean;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.failure = failure;
    this.tokens = options.tokens ?? null;
    this.costUsd = options.costUsd ?? null;
    this.answer = options.answer ?? null;
    this.param = options.param ?? null;
    this.isFree = options.isFree ?? false;
  }
}

/**
 * One model of one provider. `send` makes exactly one billable request (what the model refuses is
 * dropped, each thing once, and sent again, which a provider does not bill), under one deadline
 * over all of it, headers and bodies. `stream` does the same with an answer that comes in pieces:
 * the deadline is for the headers, and for each piece. Both reject with a ModelError, or with the
 * signal's reason when aborted.
 */
export interface Model {
  /** `provider/name` */
  readonly id: string;
  readonly provider: string;
  /** The name without the provider, as the provider knows it. */
  readonly name: string;
  /** Of the API that its provider has. */
  readonly dialect: Dialect;
  send(request: ModelRequest, options: SendOptions): Promise<ModelAnswer>;
  /** Resolves once the provider has let the request in. */
  stream(request: BodyRequest, options: SendOptions): Promise<AnswerStream>;
  /** The body that `request` would be sent with now, without what the model is known to refuse. */
  bodyOf(request: ModelRequest): Record<string, unknown>;
  /**
   * The rate limiter of the model: how many calls may run now, and how long none after a 429.
   * Callers take a permit, send, and give it back with what they learned.
   */
  readonly gate: Gate;
  /** Requests to the provider that wait for a connection; absent where nobody knows. */
  readonly connecting?: Connecting;
  /** The provider's batch API for this model; null where it is known to have none. */
  readonly batches: BatchApi | null;
  /** Absent where nothing is known of one. */
  readonly promptCache?: PromptCache | undefined;
  /** Where its name has two readings, and which one is right is not known beforehand. */
  readonly readings?: Readings;
}

/** The two readings of a model's name: the Model itself is the likelier one. */
interface Readings {
  /** The model of one reading, as far as the provider's list tells; asked where worth it. */
  chosen(): Promise<Model>;
  /** One of them has answered, and so it is the right one. */
  confirm(model: Model): void;
  /**
   * The provider says that it has no model of the id `asked`. The model of the other reading where
   * that is worth a request: it is the likelier one until it is ruled out as well. `back`: also
   * from the whole name to the shorter one, for who sees to it that each is asked once.
   */
  ruleOut(asked: string, options: { back: boolean }): Model | null;
  /** Both readings, for people. */
  readonly told: string;
}

interface SendOptions {
  signal: AbortSignal;
  /** Told of each request and of the provider's limits. The one who took it releases it. */
  permit: Permit;
}

/**
 * Connections to one provider that are being made. One request waits for each, and nothing of that
 * request has been sent.
 */
export interface Connecting {
  readonly count: number;
  /**
   * Calls back once, when the next of these requests is sent, or no connection came about. A
   * listener that waits already is kept once.
   */
  whenFewer(listener: () => void): void;
}

/**
 * A gate is shared by every call of a process to one provider and model. Synchronous calls wait in
 * a queue (`enter`); the worker asks without waiting (`tryEnter`), and is told by `onOpen` when to
 * ask again; so synchronous calls always go first.
 */
export interface Gate {
  /** How many calls were given back as 'ok': tells a provider that is down from a bad item. */
  readonly answered: number;
  /**
   * Waits for a permit. Rejects with the signal's reason when aborted, and at once with a
   * ModelError of the kind `later` while the provider fails every call.
   */
  enter(signal: AbortSignal): Promise<Permit>;
  /** A permit if one is free now and nobody waits for it, else null. */
  tryEnter(): Permit | null;
  /** Whether `tryEnter` would give a permit now. Takes none. */
  isOpen(): boolean;
  /** How many permits `tryEnter` would give now, one after the other, up to `atMost`. */
  room(atMost: number): number;
  /** Calls back when a permit may have become free. Returns the unsubscribe function. */
  onOpen(listener: () => void): () => void;
  /** Why no call goes out now, and until when; null where calls go out, at most a second apart. */
  blocked(): Blocked | null;
}

/**
 * Why a gate is closed:
 * - `failing`: the provider fails every call; the next one goes out at `until`, to see whether it
 *   is back.
 * - `rate_limited`: it said to slow down (a 429, or a Retry-After).
 * - `paced`: its requests or tokens per minute, as configured or as its headers tell them, are used
 *   up for now.
 */
export interface Blocked {
  reason: 'failing' | 'rate_limited' | 'paced';
  /** One sentence for people: the last failure as a ModelError words it, without keys or rows. */
  message: string;
  /** Since when, by the wall clock. */
  since: Date;
  /** When the next call may go out. */
  until: Date;
}

/** Given back exactly once, with the outcome the gate learns from. */
export interface Permit {
  /** Requests that went out under it so far. */
  readonly requests: number;
  /** A request goes out; `tokens` estimates its prompt and answer. For the adapter. */
  begin(tokens: () => number): void;
  /** What an answer says of the provider's limits. For the adapter. */
  observe(headers: RateHeaders): void;
  /** The tokens that the provider counted. For the adapter. */
  settle(tokens: number): void;
  /**
   * - `ok`: an answer, good or bad. `refused`: an answer that says nothing of this item (key,
   *   quota, model).
   * - `rate_limited`: a 429. `failed`: a 5xx, a timeout, a reset; `failed_again` where the same
   *   item has failed so before.
   * - `aborted`: nothing came of it.
   */
  release(
    outcome: 'ok' | 'refused' | 'rate_limited' | 'failed' | 'failed_again' | 'aborted',
    reason?: { retryAfterMs?: number | null; message?: string },
  ): void;
}

/** What this folder logs, in pino's manner. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
