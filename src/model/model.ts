/**
 * A language model, for the rest of Winnow: it takes a request (request.ts) and gives an answer, or
 * a failure (model-error.ts). Types only; the adapters beside this file speak to providers.
 */

import type { Tokens } from '../core/usage.ts';
import type { BatchApi } from './batch-api.ts';
import type { Gate, Permit } from './limits/permit.ts';
import type { PromptCache } from './prompt-cache.ts';
import type { BodyRequest, Dialect, ModelRequest } from './request.ts';

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
  /** The provider's counts so far; null where it has told nothing. */
  spent(): { tokens: Tokens; costUsd: number | null } | null;
}

/**
 * One model of one provider. `send` makes exactly one billable request, under one deadline over all
 * of it, headers and bodies. What the model refuses is dropped, each thing once, and sent again,
 * which a provider does not bill. `stream` does the same with an answer that comes in pieces: the
 * deadline is for the headers, and for each piece. Both reject with a ModelError, or with the
 * signal's reason when aborted.
 */
export interface Model {
  /** `provider/name` */
  readonly id: string;
  readonly provider: string;
  /** The name without the provider, as the provider knows it. */
  readonly name: string;
  /** The API that its provider has. */
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

/** The log of this folder, in pino's manner. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
