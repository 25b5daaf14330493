/** The spans that events come to. */
import { type Attributes, SpanKind } from '@opentelemetry/api';
import { type ChunkTrace, childOf, readTraceparent, type TraceContext } from '../../core/trace.ts';
import type { Events, Facts } from '../events.ts';
import type { EndedBatchSpan } from '../tracing.ts';
import { type CallAttributesOptions, callAttributes, modelNames } from './call-attributes.ts';
import { contentOf } from './content.ts';
import { createRateLimit } from './rate-limit.ts';
import type { EndedSpan, Recorder } from './recorder.ts';

/** Chunks and calls together: 50 a second. Without places of their own, chunks would have none. */
export const chunksPerSecond = 10;
const callsPerSecond = 40;
/** Claims and flushes together; steps of provider jobs and webhooks together. */
const statementsPerSecond = 20;
const deliveriesPerSecond = 20;

/** A machine asks these every few seconds. */
const probes = new Set(['/health', '/healthz', '/readyz', '/metrics']);

export interface SpansOptions extends CallAttributesOptions {
  recorder: Pick<Recorder, 'record'>;
  capturesContent: boolean;
  /** Milliseconds since 1970, with fractions. */
  now(): number;
}

/** Begins to make spans. */
export function recordSpans(events: Pick<Events, 'on'>, options: SpansOptions): void {
  const { recorder, now, capturesContent } = options;
  const calls = createRateLimit(callsPerSecond);
  const statements = createRateLimit(statementsPerSecond);
  const deliveries = createRateLimit(deliveriesPerSecond);

  /** One that ends now. */
  function record(span: Omit<EndedSpan, 'beganAt' | 'endedAt'> & { seconds: number }): void {
    const { seconds, ...others } = span;
    const endedAt = now();
    recorder.record({ ...others, beganAt: endedAt - seconds * 1_000, endedAt });
  }

  /** A request of a client, or an operation of its socket, under what the client does. */
  function recordAsked(
    asking: Parameters<typeof askingAttributes>[0],
    trace: NonNullable<Facts['http.request']['asking']['trace']>,
    {
      attributes,
      ...span
    }: { name: string; seconds: number; attributes: Attributes; failed?: boolean },
  ): void {
    record({
      ...span,
      kind: SpanKind.SERVER,
      context: trace,
      parentSpanId: trace.parentSpanId,
      isRemote: true,
      state: trace.state,
      attributes: { ...attributes, ...askingAttributes(asking) },
    });
  }

  /** A child of a batch, where that is sampled and `limit` lets it through; failures always. */
  function recordUnder(
    { trace, batch }: Pick<Facts['flush.written'], 'trace' | 'batch'>,
    limit: typeof statements,
    span: { name: string; seconds: number; attributes: Attributes; failed?: boolean },
  ): void {
    if (!trace?.isSampled || !(span.failed || limit.take(now()))) return;
    const { name, seconds, attributes, failed = false } = span;
    record({
      name,
      kind: SpanKind.INTERNAL,
      context: childOf(trace),
      parentSpanId: trace.spanId,
      seconds,
      attributes: { 'winnow.batch.id': batch, ...attributes },
      failed,
    });
  }

  events.on('http.request', (request) => {
    const { trace } = request.asking;
    if (!trace?.isSampled || probes.has(request.route)) return;
    const { method, route, statusCode, seconds } = request;
    const failed = statusCode >= 500;
    recordAsked(request.asking, trace, {
      name: route === 'other' ? methodName(method) : `${methodName(method)} ${route}`,
      seconds,
      attributes: {
        'http.request.method': method === 'other' ? '_OTHER' : method,
        'http.response.status_code': statusCode,
        'url.scheme': 'http',
        'client.address': request.address,
        ...(route === 'other' ? {} : { 'http.route': route }),
        ...(route === 'other' || !request.asking.path ? {} : { 'url.path': request.asking.path }),
        ...(failed ? { 'error.type': String(statusCode) } : {}),
      },
      failed,
    });
  });

  events.on('graphql.operation', ({ socket, seconds }) => {
    if (!socket?.trace?.isSampled) return;
    const { trace } = socket;
    recordAsked(socket, trace, {
      name: 'WS /graphql',
      seconds,
      attributes: { 'http.route': '/graphql', 'network.protocol.name': 'websocket' },
    });
  });

  events.on('model.call', (call) => {
    const { parent, seconds } = call;
    if (!parent?.isSampled || seconds === null) return;
    const failed = call.error !== null;
    if (!failed && (isLeftOut(parent) || !calls.take(now()))) return;
    if (isLeftOut(parent)) parent.isKept = true;
    const content = capturesContent ? contentOf(call.request, call.answer) : {};
    record({
      name: `chat ${modelNames(call.model).model}`,
      kind: SpanKind.CLIENT,
      context: readTraceparent(call.request?.traceparent) ?? childOf(parent),
      parentSpanId: parent.spanId,
      seconds,
      attributes: { ...callAttributes(call, options), ...content },
      failed,
    });
  });

  events.on('chunk.ended', ({ trace, batch, worker, first, last, seconds }) => {
    if (!trace.isSampled || !trace.isKept) return;
    record({
      name: 'chunk',
      kind: SpanKind.INTERNAL,
      context: trace,
      parentSpanId: trace.batchSpanId,
      seconds,
      attributes: {
        'winnow.batch.id': batch,
        'winnow.chunk.first': first,
        'winnow.chunk.last': last,
        'winnow.worker': worker,
      },
    });
  });

  events.on('claim.ended', ({ worker, chunks, seconds, ...traced }) => {
    const attributes = { 'winnow.worker': worker, 'winnow.chunks': chunks };
    recordUnder(traced, statements, { name: 'claim', seconds, attributes });
  });

  events.on('flush.written', ({ seconds, results, ...traced }) => {
    const attributes = { 'winnow.results': results };
    recordUnder(traced, statements, { name: 'flush', seconds, attributes });
  });

  events.on('job.step', ({ job, step, seconds, error, ...traced }) => {
    recordUnder(traced, deliveries, {
      name: `provider_batch ${step}`,
      seconds,
      attributes: {
        'winnow.provider_batch.id': job,
        ...(error === null ? {} : { 'error.type': error }),
      },
      failed: error !== null,
    });
  });

  const webhook = (fact: Facts['webhook.delivered'], failed: boolean) => {
    const { statusCode, host } = fact;
    recordUnder(fact, deliveries, {
      name: 'webhook',
      seconds: fact.seconds,
      attributes: {
        'winnow.webhook.id': fact.webhook,
        'winnow.webhook.attempt': fact.attempt,
        ...(host === null ? {} : { 'server.address': host }),
        ...(statusCode === null ? {} : { 'http.response.status_code': statusCode }),
        ...(failed ? { 'error.type': statusCode === null ? 'NO_ANSWER' : String(statusCode) } : {}),
      },
      failed,
    });
  };
  events.on('webhook.delivered', (fact) => webhook(fact, false));
  events.on('webhook.failed', (fact) => webhook(fact, true));
}

/** The whole life of a batch, linked to the request that submitted it. */
export function batchSpan(batch: EndedBatchSpan, context: TraceContext): EndedSpan {
  const submit = readTraceparent(batch.traceparent);
  const failed = batch.status === 'FAILED';
  return {
    name: `batch ${batch.operation}`,
    kind: SpanKind.INTERNAL,
    context,
    parentSpanId: null,
    beganAt: batch.createdAt.getTime(),
    endedAt: batch.completedAt.getTime(),
    links: submit === null ? [] : [submit],
    moments: batch.startedAt === null ? [] : [{ name: 'started', at: batch.startedAt.getTime() }],
    attributes: {
      'winnow.batch.id': batch.id,
      'winnow.operation': batch.operation,
      'winnow.model': batch.model,
      'winnow.lane': batch.lane,
      'winnow.status': batch.status.toLowerCase(),
      'winnow.items': batch.items,
      'winnow.items.failed': batch.failed,
      'enduser.id': batch.owner,
      ...(failed ? { 'error.type': batch.errorCode ?? 'FAILED' } : {}),
    },
    failed,
  };
}

function methodName(method: string): string {
  return method === 'other' ? 'HTTP' : method;
}

function askingAttributes(asking: Facts['http.request']['asking']): Attributes {
  const { requestId, owner, operationName, operationType } = asking;
  return {
    'winnow.request_id': requestId,
    ...(owner === undefined ? {} : { 'enduser.id': owner }),
    ...(operationName === undefined ? {} : { 'graphql.operation.name': operationName }),
    ...(operationType === undefined ? {} : { 'graphql.operation.type': operationType }),
  };
}

/** A chunk for which there was no place: its calls would hang under nothing. */
function isLeftOut(parent: TraceContext): parent is ChunkTrace {
  return 'isKept' in parent && !parent.isKept;
}
