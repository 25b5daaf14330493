/** Makes spans that have ended, with ids that were given out while they were not. */
import {
  type Attributes,
  createTraceState,
  type HrTime,
  ROOT_CONTEXT,
  type SpanContext,
  type SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  type IdGenerator,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { TraceContext } from '../../core/trace.ts';
import { version } from '../../core/version.ts';

export interface EndedSpan {
  name: string;
  kind: SpanKind;
  context: Pick<TraceContext, 'traceId' | 'spanId'>;
  /** Id of the span that it is under; null of a root. */
  parentSpanId: string | null;
  /** The parent is in another program. */
  isRemote?: boolean;
  /** `tracestate` of the parent, as it came. */
  state?: string | null;
  /** Milliseconds since 1970. */
  beganAt: number;
  endedAt: number;
  attributes: Attributes;
  failed?: boolean;
  links?: readonly TraceContext[];
  moments?: readonly { name: string; at: number }[];
}

export interface Recorder {
  record(span: EndedSpan): void;
  shutdown(): Promise<void>;
}

export function createRecorder(
  processor: SpanProcessor,
  resource: Readonly<Record<string, string>>,
): Recorder {
  const ids = new GivenIds();
  // Never the global one: packages would trace with it, prompts included.
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes(resource),
    // What is not to be sent does not come here.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [processor],
    idGenerator: ids,
  });
  const tracer = provider.getTracer('winnow', version);

  return {
    record({ name, kind, attributes, beganAt, endedAt, failed, links, moments, ...span }) {
      ids.next = span.context;
      const options = {
        kind,
        attributes,
        startTime: timeOf(beganAt),
        links: (links ?? []).map((context) => ({ context: spanContextOf(context) })),
      };
      const made = tracer.startSpan(name, options, contextOf(span));
      for (const { name: moment, at } of moments ?? []) made.addEvent(moment, timeOf(at));
      if (failed) made.setStatus({ code: SpanStatusCode.ERROR });
      made.end(timeOf(Math.max(beganAt, endedAt)));
    },
    shutdown: () => provider.shutdown(),
  };
}

/** Gives each span the ids that are known of it already. */
class GivenIds implements IdGenerator {
  next: Pick<TraceContext, 'traceId' | 'spanId'> = { traceId: '', spanId: '' };
  readonly generateTraceId = () => this.next.traceId;
  readonly generateSpanId = () => this.next.spanId;
}

function contextOf({
  context: { traceId },
  parentSpanId,
  isRemote = false,
  state = null,
}: Pick<EndedSpan, 'context' | 'parentSpanId' | 'isRemote' | 'state'>) {
  if (parentSpanId === null) return ROOT_CONTEXT;
  const parent = { traceId, spanId: parentSpanId, traceFlags: TraceFlags.SAMPLED, isRemote };
  return trace.setSpanContext(
    ROOT_CONTEXT,
    // What is malformed of it is left out.
    state === null ? parent : { ...parent, traceState: createTraceState(state) },
  );
}

/** A context of this process, or of a caller, in OpenTelemetry's words. */
export function spanContextOf({ traceId, spanId, isSampled }: TraceContext): SpanContext {
  return { traceId, spanId, traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

/** Seconds and nanoseconds: small numbers would be taken for times since the start. */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
