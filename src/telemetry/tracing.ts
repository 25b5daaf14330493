/**
 * The part of traces that is needed before a span has ended: its ids, for its children and the log.
 * Spans themselves are made of events (traces/spans.ts). Nothing here loads OpenTelemetry.
 */
import {
  type ChunkTrace,
  childOf,
  type RequestTrace,
  type TraceContext,
  traceparentOf,
} from '../core/trace.ts';
import type { CallOrigin } from './events.ts';

/** Where traces are off, parts have null in its place. */
export interface Tracing {
  /** Goes on with the caller's trace, or begins one. Malformed headers are ignored. */
  ofRequest(headers: TraceHeaders): RequestTrace;
  /** The same in every process. `traceparent`: of the request that submitted the batch. */
  ofBatch(batch: { id: string; traceparent: string | null }): TraceContext;
  ofChunk(batch: TraceContext): ChunkTrace;
  /** A batch has ended: its span is made of what the database has of it. */
  endBatch(batch: EndedBatchSpan): void;
  /** True where providers are told of the trace that a call belongs to. */
  readonly propagates: boolean;
  /** Sends what there is, for a short time. Never rejects. */
  close(): Promise<void>;
}

/** Names a new span for one call to a provider that is to be told of it; else undefined. */
export function traceparentFor(
  origin: Pick<CallOrigin, 'trace' | 'propagates'> | undefined,
): string | undefined {
  return origin?.propagates && origin.trace ? traceparentOf(childOf(origin.trace)) : undefined;
}

/** As node:http has them. */
type TraceHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A batch, as its span tells of it. */
export interface EndedBatchSpan {
  id: string;
  traceparent: string | null;
  owner: string;
  operation: string;
  model: string;
  lane: string;
  status: string;
  errorCode: string | null;
  items: number;
  failed: number;
  createdAt: Date;
  startedAt: Date | null;
  completedAt: Date;
}

/** Where spans go, and which. */
export interface TraceSettings {
  /** URL of a collector, without /v1/traces. */
  endpoint: string;
  /** Sent to it; their values are secret. */
  headers: Readonly<Record<string, string>>;
  /** For one export, repeats included. */
  timeoutMs: number;
  serviceName: string;
  /** Facts on its process that every span tells, beside the name. */
  resource: Readonly<Record<string, string>>;
  sampler: (typeof samplers)[number];
  /** The share of traces that a sampler by ratio keeps, 0 to 1. */
  ratio: number;
  /** Spans have prompts and answers. */
  capturesContent: boolean;
  /** Providers are told of the trace that a call belongs to. */
  propagates: boolean;
}

/** As OTEL_TRACES_SAMPLER has them. */
export const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
