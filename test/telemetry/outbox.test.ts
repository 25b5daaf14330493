/** What waits for a collector is bounded, and what is lost is told once a minute. */
import { TraceFlags } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createOutbox } from '../../src/telemetry/traces/outbox.ts';
import { createRateLimit } from '../../src/telemetry/traces/rate-limit.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const span = {
  spanContext: () => ({ traceFlags: TraceFlags.SAMPLED }),
  resource: { asyncAttributesPending: false },
  attributes: {},
} as unknown as ReadableSpan;

type Done = Parameters<SpanExporter['export']>[1];

/** An outbox whose exports end as the test says. */
function open() {
  const exports: { spans: number; done: Done }[] = [];
  const warnings: Record<string, unknown>[] = [];
  const outbox = createOutbox(
    {
      export: (spans, done) => void exports.push({ spans: spans.length, done }),
      shutdown: async () => undefined,
    },
    { timeoutMs: 100, log: { warn: (fields) => void warnings.push({ ...fields }) } },
  );
  const end = (count: number, attributes = {}) => {
    for (let at = 0; at < count; at += 1) outbox.onEnd({ ...span, attributes });
  };
  return { outbox, exports, warnings, end };
}

it('takes no more than 2,048 spans that nobody fetches, and says how many it lost', async () => {
  const { outbox, warnings, end } = open();

  end(3_000);
  expect(outbox.waiting).toBe(2_048);
  expect(warnings).toEqual([{ lost: 1, reason: 'FULL' }]);

  await vi.advanceTimersByTimeAsync(60_000);
  end(5_000);
  const told = warnings.reduce((sum, { lost }) => sum + Number(lost), 0);
  expect(warnings.length).toBeLessThanOrEqual(3);
  expect(outbox.waiting).toBeLessThanOrEqual(2_048);
  expect(told).toBeGreaterThan(950);
});

it('takes no more than 16 MiB of attributes, as JSON that can be sent in one export', async () => {
  const { outbox, exports, warnings, end } = open();
  const mebibyte = { text: 'é'.repeat(512 * 1_024 - 10) };

  end(20, mebibyte);
  expect(outbox.waiting).toBe(16);
  expect(warnings).toEqual([{ lost: 1, reason: 'FULL' }]);

  await vi.advanceTimersByTimeAsync(5_000);
  exports.at(-1)?.done({ code: 0 });
  end(20, mebibyte);
  expect(outbox.waiting).toBe(16);
});

it('goes on after a collector that never answered', async () => {
  const { outbox, exports, warnings, end } = open();
  end(10);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(exports).toHaveLength(1);

  await vi.advanceTimersByTimeAsync(200);
  expect(outbox.waiting).toBe(0);
  expect(warnings).toEqual([{ lost: 10, reason: 'TIMEOUT' }]);

  end(10);
  await vi.advanceTimersByTimeAsync(5_000);
  exports.at(-1)?.done({ code: 0 });
  expect(outbox.waiting).toBe(0);
  expect(warnings).toHaveLength(1);
});

it('a limit lets so many through in any second, whenever that begins', () => {
  const limit = createRateLimit(3);
  const times = [0, 100, 200, 300, 999, 1_000, 1_050, 1_100, 1_200, 1_999, 2_000];

  expect(times.filter((at) => limit.take(at))).toEqual([0, 100, 200, 1_000, 1_100, 1_200, 2_000]);
});
