/** Traces, by OpenTelemetry: loaded only where they are on. */
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import {
  childOf,
  idsOf,
  newSpanId,
  newTraceId,
  readTraceparent,
  type TraceContext,
} from '../../core/trace.ts';
import { version } from '../../core/version.ts';
import type { EventLog, Events } from '../events.ts';
import type { TraceSettings, Tracing } from '../tracing.ts';
import type { CallAttributesOptions } from './call-attributes.ts';
import { createOutbox } from './outbox.ts';
import { createRateLimit } from './rate-limit.ts';
import { createRecorder, spanContextOf } from './recorder.ts';
import { batchSpan, chunksPerSecond, recordSpans } from './spans.ts';

/** The end of a process waits for a collector, and no longer than this. */
const closeMs = 3_000;
/** Most characters of a `tracestate`, by W3C's rules. */
const longestState = 512;

export interface TracesOptions extends CallAttributesOptions {
  events: Pick<Events, 'on'>;
  log: Pick<EventLog, 'warn'>;
}

export function openTraces(settings: TraceSettings, options: TracesOptions): Tracing {
  const { endpoint, timeoutMs, serviceName, capturesContent, propagates } = settings;
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    headers: { ...settings.headers },
    timeoutMillis: timeoutMs,
  });
  const outbox = createOutbox(exporter, { timeoutMs, log: options.log });
  const recorder = createRecorder(outbox, {
    'service.version': version,
    'process.pid': String(process.pid),
    ...settings.resource,
    'service.name': serviceName,
  });
  const now = () => performance.timeOrigin + performance.now();
  const { events, names, addressOf } = options;
  recordSpans(events, { recorder, names, addressOf, capturesContent, now });
  const sampler = samplerOf(settings);
  const chunks = createRateLimit(chunksPerSecond);

  /** `parent`: what came from a caller; null of a trace that begins here. */
  function samples(traceId: string, parent: TraceContext | null): boolean {
    const context =
      parent === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, { ...spanContextOf(parent), isRemote: true });
    const { decision } = sampler.shouldSample(context, traceId, '', SpanKind.SERVER, {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  }

  function ofBatch({ id, traceparent }: Parameters<Tracing['ofBatch']>[0]): TraceContext {
    const ids = idsOf(id);
    const submit = readTraceparent(traceparent);
    // The request has asked the sampler, and its answer stands for what came of it.
    return { ...ids, isSampled: submit?.isSampled ?? samples(ids.traceId, null) };
  }

  return {
    propagates,
    ofBatch,
    ofRequest({ traceparent, tracestate }) {
      const parent = readTraceparent(traceparent);
      const traceId = parent?.traceId ?? newTraceId();
      return {
        traceId,
        spanId: newSpanId(),
        isSampled: samples(traceId, parent),
        parentSpanId: parent?.spanId ?? null,
        state:
          typeof tracestate === 'string' && tracestate.length <= longestState ? tracestate : null,
      };
    },
    ofChunk(batch) {
      const isKept = batch.isSampled && chunks.take(now());
      return { ...childOf(batch), batchSpanId: batch.spanId, isKept };
    },
    endBatch(batch) {
      const context = ofBatch(batch);
      if (context.isSampled) recorder.record(batchSpan(batch, context));
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closeMs);
      });
      // What could not be sent has been told.
      await Promise.race([recorder.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

function samplerOf({ sampler, ratio }: TraceSettings): Sampler {
  const [, base] = /^(?:parentbased_)?(.*)$/.exec(sampler) ?? [];
  const root =
    base === 'always_on'
      ? new AlwaysOnSampler()
      : base === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return base === sampler ? root : new ParentBasedSampler({ root });
}
