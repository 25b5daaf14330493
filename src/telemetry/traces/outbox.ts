/**
 * Spans that wait to be sent to a collector. One that is away, slow or full costs spans and nothing
 * else: so many spans and bytes wait at most, and the log has a line a minute.
 */
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { EventLog } from '../events.ts';

/** Spans that wait, or are under way. */
const maxWaiting = 2_048;
/** Bytes of their attributes: a collector refuses an export of more than 20 MiB by default. */
const maxWaitingBytes = 16 * 1_024 * 1_024;
const tellEveryMs = 60_000;
/** An export that has not ended by then never will: its spans are lost. */
const overdue = 2;

/** ExportResultCode.SUCCESS of @opentelemetry/core. */
const succeeded = 0;

type ExportResult = Parameters<Parameters<SpanExporter['export']>[1]>[0];

export interface Outbox extends SpanProcessor {
  /** Spans that wait, or are under way. */
  readonly waiting: number;
}

/** `timeoutMs`: what an export of `exporter` may take by its own rules. */
export function createOutbox(
  exporter: SpanExporter,
  { timeoutMs, log, now = Date.now }: OutboxOptions,
): Outbox {
  let waiting = 0;
  let waitingBytes = 0;
  const sizes = new WeakMap<ReadableSpan, number>();
  let lost = 0;
  let toldAt = Number.NEGATIVE_INFINITY;

  function lose(count: number, reason: string): void {
    lost += count;
    if (now() - toldAt < tellEveryMs) return;
    toldAt = now();
    log.warn({ lost, reason }, 'spans are lost: the collector does not take them');
    lost = 0;
  }

  const counted: SpanExporter = {
    export(spans, done) {
      let isSettled = false;
      const settle = (reason: string | null) => {
        if (isSettled) return;
        isSettled = true;
        clearTimeout(timer);
        waiting -= spans.length;
        for (const span of spans) waitingBytes -= sizes.get(span) ?? 0;
        if (reason !== null) lose(spans.length, reason);
        // Told here: the processor would tell its own log, which nobody reads.
        done({ code: succeeded });
      };
      const timer = setTimeout(() => settle('TIMEOUT'), timeoutMs * overdue);
      timer.unref();
      exporter.export(spans, (result) => settle(reasonOf(result)));
    },
    shutdown: () => exporter.shutdown(),
  };
  // It never has to leave out what was let in here.
  const processor = new BatchSpanProcessor(counted, { maxQueueSize: 2 * maxWaiting });

  return {
    get waiting() {
      return waiting;
    },
    onStart: () => undefined,
    onEnd(span: ReadableSpan) {
      const size = sizeOf(span);
      if (waiting >= maxWaiting || waitingBytes + size > maxWaitingBytes) {
        lose(1, 'FULL');
        return;
      }
      waiting += 1;
      waitingBytes += size;
      sizes.set(span, size);
      processor.onEnd(span);
    },
    forceFlush: () => processor.forceFlush(),
    shutdown: () => processor.shutdown(),
  };
}

interface OutboxOptions {
  timeoutMs: number;
  log: Pick<EventLog, 'warn'>;
  /** Milliseconds. */
  now?: () => number;
}

/** Bytes of the attributes as JSON: the rest of a span is small. */
function sizeOf({ attributes }: ReadableSpan): number {
  return Buffer.byteLength(JSON.stringify(attributes));
}

/** A status or a code: the collector's own words may be anything. */
function reasonOf({ code, error }: ExportResult): string | null {
  if (code === succeeded) return null;
  const known = (error as { code?: unknown } | undefined)?.code;
  return known === undefined ? 'NO_ANSWER' : String(known).slice(0, 40);
}
