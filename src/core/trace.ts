/**
 * Where work stands in a trace, in the words of W3C's Trace Context.
 * https://www.w3.org/TR/trace-context/
 */
import { createHash, randomBytes } from 'node:crypto';

/** A span, as its children, the log and other programs know it. Ids are lower-case hex. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  /** False: nothing of this trace is sent. */
  readonly isSampled: boolean;
}

/** The span of a request. */
export interface RequestTrace extends TraceContext {
  /** Id of the caller's span; null where this one begins the trace. */
  readonly parentSpanId: string | null;
  /** `tracestate` as it came; null without one. */
  readonly state: string | null;
}

/** The span of a chunk. */
export interface ChunkTrace extends TraceContext {
  readonly batchSpanId: string;
  /** True where it is sent: there are more chunks than a collector wants. */
  isKept: boolean;
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const sampledFlag = 1;
/** Length of a later version's, which may have further members. */
const longestTraceparent = 256;

/** The context in a `traceparent`; null where it is absent or malformed. */
export function readTraceparent(text: unknown): TraceContext | null {
  if (typeof text !== 'string' || text.length > longestTraceparent) return null;
  const [, version, traceId, spanId, flags, more] = traceparent.exec(text) ?? [];
  if (!version || !traceId || !spanId || !flags || version === 'ff') return null;
  if (version === '00' && more !== undefined) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & sampledFlag) !== 0 };
}

export function traceparentOf({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** A new span under another. */
export function childOf({ traceId, isSampled }: TraceContext): TraceContext {
  return { traceId, spanId: newSpanId(), isSampled };
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

/** The ids of what several processes work on, which all of them find by its public id. */
export function idsOf(publicId: string): Pick<TraceContext, 'traceId' | 'spanId'> {
  const hash = createHash('sha256').update(publicId).digest('hex');
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
}
