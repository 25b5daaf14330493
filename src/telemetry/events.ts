/**
 * Events in Winnow, as a closed list of facts. Parts tell of them; the log (log-events.ts),
 * whatever counts, and tests listen. A fact is told after it is so, never before, and its telling
 * changes nothing.
 */
import type { Asking, Cause } from '../core/log.ts';
import type { ChunkTrace, TraceContext } from '../core/trace.ts';
import type { TokenCounts } from '../core/usage.ts';

/** Each event and what it tells. Keys and ids of batches are those of the database and the API. */
export interface Facts {
  /** One request to a model, once it has an answer or an end. Of a batch API: one answer. */
  'model.call': ModelCall;
  /** Final rows were written, or the items of a synchronous request answered. */
  'items.recorded': RecordedItems;
  /** A batch was stored, also as a DRAFT. A repeated submit stores none. */
  'batch.submitted': { batchKey: bigint; batch: string; retainSeconds: number | null } & Caused;
  /** The first claim of a batch: by a worker, or by its first provider job. */
  'batch.started': { batchKey: bigint };
  /** A batch reached a final status; again after a retry. `seconds`: since it was submitted. */
  'batch.ended': {
    batchKey: bigint;
    operation: string;
    status: string;
    lane: Lane;
    seconds: number;
  } & Caused;
  /** No item of the batch would succeed: its end as FAILED has begun. */
  'batch.stopped': { batch: string; code: string };
  /** It sends nothing new: its limit is used up, its preview is over, or its owner wished it. */
  'batch.paused': { batchKey: bigint; reason: string } & Caused;
  /** Its provider is down or asked for a pause, so that no call goes out. Once a wait. */
  'batch.waits': { batchKey: bigint; reason: string };
  /** It is neither paused nor waiting any more. */
  'batch.goes_on': { batchKey: bigint } & Caused;
  'batch.deleted': { batch: string; owner: string } & Caused;
  /** A worker took chunks of one batch under its lease. */
  'chunk.claimed': { batchKey: bigint; worker: string; chunks: number };
  /** A claim with the reading of what it took. Told only where somebody listens. */
  'claim.ended': Traced & { worker: string; chunks: number; seconds: number };
  /** A worker has let go of a chunk, answered or not. Told only where somebody listens. */
  'chunk.ended': {
    trace: ChunkTrace;
    batch: string;
    worker: string;
    /** Indexes of its items. */
    first: number;
    last: number;
    seconds: number;
  };
  /** Chunks of dead workers are open again. `resent`: requests that are sent again. */
  'chunk.reclaimed': { batchKey: bigint; chunks: number; resent: number };
  /** A call of one item begins. Told only where somebody listens. */
  'item.sent': { batchKey: bigint; index: number };
  /** A flush, live or of a provider job. `results`: those that were really new; may be 0. */
  'result.recorded': { batchKey: bigint; results: number };
  /** A flush of live answers: how long its statement took, and how many answers it was given. */
  'flush.written': Traced & { seconds: number; results: number };
  /** This process has a lease: its first, or one in place of a lost one. */
  'lease.taken': { worker: string };
  'lease.lost': { worker: string; reason: string };
  /** The circuit breaker of a model opened. */
  'gate.outage': { model: string; message: string };
  /** The circuit breaker closed again. */
  'gate.recovered': { model: string; afterMs: number };
  /** The rate limits in a provider's headers are left aside for ten minutes. */
  'gate.distrusted': { model: string };
  /** So many answers wrote to a model's prompt cache and none read: one plan marks no more. */
  'caching.ended': { model: string; answers: number };
  /** A provider has a job, by its create or found again. `job`: the id of its provider batch. */
  'job.created': { batchKey: bigint; job: string; requests: number };
  /** `status`: the provider's word, or Winnow's where the provider has none. */
  'job.ended': { batchKey: bigint; job: string; status: string };
  /** One step of a provider job. Told only where somebody listens. */
  'job.step': Traced & {
    job: string;
    step: string;
    seconds: number;
    /** Why it failed, as a code or the name of an error; null where it did not. */
    error: string | null;
  };
  /** Kept long enough: hidden from their owners, their rows to be removed. */
  'retention.deleted': { kind: 'batch' | 'file' | 'content'; count: number };
  /** A file is visible to its owner. */
  'upload.stored': { file: string; owner: string; items: number; bytes: number };
  /** An upload is stored, be it a file or the rows of a batch. */
  'upload.taken': { face: FaceName; bytes: number };
  /** An admin made a key; `key` is its public part. */
  'key.created': { key: string; owner: string } & Caused;
  'key.revoked': { key: string; owner: string } & Caused;
  /** A request was turned away. `owner` is null where nobody knows whose it is. */
  'request.refused': {
    reason: 'key' | 'scope' | 'rate' | 'limit' | 'cost' | 'size' | 'origin';
    owner: string | null;
  };
  /** A request, or an operation of a socket, was answered with errors of these codes. */
  'error.answered': { asking: Asking; codes: readonly string[] };
  /** Statements fail because the database is away: for half a second by now. */
  'database.away': { reason: string };
  /** It still is, once a minute. `failed`: statements in that minute. */
  'database.stays_away': { reason: string; failed: number };
  /** It answers again. `failed`: statements meanwhile. */
  'database.back': { failed: number; afterMs: number };
  /** A request over HTTP, once its answer is whole or cut off. */
  'http.request': HttpRequest;
  /** An operation of GraphQL has ended; of a subscription: it stands, or was refused. */
  'graphql.operation': {
    type: 'query' | 'mutation' | 'subscription';
    /** Empty where the document gives it none. */
    name: string;
    outcome: 'ok' | 'error';
    seconds: number;
    /** Who asks, over a socket; null over HTTP, where the request tells. */
    socket: Asking | null;
  };
  'socket.changed': { opened: boolean };
  'subscription.changed': { field: string; transport: 'ws' | 'sse'; opened: boolean };
  /** A statement has its answer, or none. Told only where somebody listens. */
  'db.query': { statement: string; seconds: number };
  'webhook.delivered': WebhookAttempt;
  /** `retryInMs` null: that was the last attempt. */
  'webhook.failed': WebhookAttempt & { retryInMs: number | null };
}

/** Absent where no request of a client was the cause. */
interface Caused {
  cause?: Cause;
}

/** By which way items are answered: by single calls, by a provider's batch API, or at once. */
export type Lane = 'live' | 'provider_batch' | 'sync';

/** The common facts of calls. */
export interface CallOrigin {
  lane: Lane;
  owner: string;
  events: Telling;
  /** The span that calls are under: of a chunk or a request. Absent where traces are off. */
  trace?: TraceContext;
  /** Providers are told of the trace. */
  propagates?: boolean;
  /** Fields of lines that a call causes: of its request, or its batch. */
  about?: object;
}

/** A batch whose span others are under. `trace` is null where traces are off. */
interface Traced {
  trace: TraceContext | null;
  /** Its public id. */
  batch: string;
}

interface ModelCall {
  /** As provider/name. */
  model: string;
  lane: Lane;
  owner: string;
  /** Null of an answer of a batch API. */
  seconds: number | null;
  /** HTTP requests that it took: a refused parameter is left out and the request sent again. */
  requests: number;
  /** Number of them that repeat an earlier request for the same item. */
  retries: number;
  /** Code of what failed; null of an answer, good or bad. */
  error: string | null;
  /** Null where the provider counted none. */
  tokens: CallTokens | null;
  /** USD; null where the price or the tokens are not known. */
  costUsd: number | null;
  /** No usage came, although the provider may bill the request. */
  isUnmetered: boolean;
  /** The span that it was under; null where traces are off. */
  parent: TraceContext | null;
  /** The request, most of which is the owner's. Never logged; null where traces are off. */
  request: AskedModel | null;
  /** The same of what was answered; also null where nothing was. */
  answer: AnsweredModel | null;
}

type CallTokens = Pick<TokenCounts, 'inputTokens' | 'outputTokens'> & Partial<TokenCounts>;

/** A span's facts on a request to a model. */
export interface AskedModel {
  temperature?: number | undefined;
  topP?: number | undefined;
  seed?: number | undefined;
  maxOutputTokens?: number | undefined;
  reasoningEffort?: string | undefined;
  messages?: readonly { role: string; content: string }[];
  /** Names its own span, where its provider was told of that. */
  traceparent?: string | undefined;
  /** The whole request, where a caller wrote it. */
  body?: Readonly<Record<string, unknown>>;
}

/** A span's facts on an answer of a model. */
export interface AnsweredModel {
  text?: string;
  completion?: Readonly<Record<string, unknown>>;
}

interface HttpRequest {
  method: string;
  /** Its template, with {id} for what differs; `other` where it has none. */
  route: string;
  statusCode: number;
  seconds: number;
  /** As they came over the connection, headers included. */
  bytesIn: number;
  bytesOut: number;
  /** Address of the client. */
  address: string;
  asking: Asking;
  /** By which the output of a batch went out; null of all other requests. */
  outputBy: FaceName | null;
}

/** Where files come in, and outputs go out. */
export type FaceName = 'rest' | 'graphql' | 'openai' | 'anthropic';

/** Items of one batch, or of one synchronous request, by what became of them. */
interface RecordedItems {
  owner: string;
  operation: string;
  lane: Lane;
  items: readonly ItemCount[];
}

export interface ItemCount {
  status: 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'EXPIRED';
  /** Code of a failed one; null of the others. */
  errorCode: string | null;
  items: number;
}

/** The path and query of a webhook's URL are often a secret: its host alone is told. */
interface WebhookAttempt extends Traced {
  webhook: string;
  seconds: number;
  host: string | null;
  /** Counted from 1. */
  attempt: number;
  /** Null without an answer. */
  statusCode: number | null;
  /** Why there was no answer, for the operator; null where there was one. */
  cause: string | null;
}

export type EventName = keyof Facts;

export interface Events {
  /** Tells all listeners at once. Costs next to nothing without any; never throws. */
  emit<Name extends EventName>(name: Name, fact: Facts[Name]): void;
  /** Returns how to end the listening. */
  on<Name extends EventName>(name: Name, listener: (fact: Facts[Name]) => void): () => void;
  /**
   * True where anybody listens: for facts of which there are many, before they are put together.
   */
  has(name: EventName): boolean;
}

/** The log that is needed here, in pino's manner. */
export type EventLog = Record<
  'debug' | 'info' | 'warn' | 'error',
  (fields: object, message: string) => void
>;

/** The half of the events for a part that tells, and does not listen. */
export type Telling = Pick<Events, 'emit' | 'has'>;

/** Without listeners. One that throws is logged; it disturbs neither the part nor the others. */
export function createEvents(log: Pick<EventLog, 'error'>): Events {
  const listeners = new Map<EventName, Set<(fact: never) => void>>();

  return {
    emit(name, fact) {
      const heard = listeners.get(name);
      if (heard === undefined) return;
      for (const listener of heard) {
        try {
          listener(fact as never);
        } catch (error) {
          log.error({ err: error, event: name }, 'a listener failed on an event');
        }
      }
    },
    on(name, listener) {
      const heard = listeners.get(name) ?? new Set();
      listeners.set(name, heard.add(listener));
      return () => {
        heard.delete(listener);
        if (heard.size === 0 && listeners.get(name) === heard) listeners.delete(name);
      };
    },
    has: (name) => listeners.has(name),
  };
}
