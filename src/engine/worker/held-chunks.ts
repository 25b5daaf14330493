/** The chunks of a held batch, from the claim until each is answered or given back. */
import type { ClaimedChunk } from '../../db/chunks.ts';
import type { OpenItem } from '../../db/items.ts';
import type { NewResult } from '../../db/results.ts';
import type { BatchTracing, HeldBatch } from './held-batch.ts';
import type { HeldChunk } from './held-item.ts';
import { addReady, type ReadyCount } from './ready-items.ts';

/** Puts a claimed chunk with its unanswered items behind what is ready. */
export function holdChunk(
  count: ReadyCount,
  batch: HeldBatch,
  {
    claimed,
    items,
    tracing,
  }: { claimed: ClaimedChunk; items: readonly OpenItem[]; tracing: BatchTracing | null },
): void {
  const span = spanOf(batch, tracing);
  const origin = span
    ? { ...batch.origin, trace: span.trace, propagates: tracing?.propagates ?? false }
    : batch.origin;
  const chunk: HeldChunk = { ...claimed, unrecorded: items.length, leaving: null, origin, span };
  batch.chunks.set(chunk.first, chunk);
  addReady(count, batch, { chunk, items });
}

function spanOf({ trace }: HeldBatch, tracing: BatchTracing | null): HeldChunk['span'] {
  if (tracing === null || trace === null) return null;
  return { trace: tracing.ofChunk(trace), beganAt: performance.now() };
}

/**
 * Counts items that have their row now, and lets go of the chunks that are complete. One that is
 * being cut stays: what is not held is given back by other statements and claimed again, and the
 * cut could come after that.
 */
export function countRecorded(
  batch: HeldBatch,
  results: readonly Pick<NewResult, 'first'>[],
): void {
  for (const { first } of results) {
    const chunk = batch.chunks.get(first);
    if (!chunk) continue;
    chunk.unrecorded -= 1;
    if (chunk.unrecorded === 0 && !chunk.leaving?.isGiving) letGoOfChunk(batch, chunk);
  }
}

/** It is answered or given back. */
export function letGoOfChunk(batch: HeldBatch, chunk: HeldChunk): void {
  if (batch.chunks.get(chunk.first) !== chunk) return;
  batch.chunks.delete(chunk.first);
  endSpan(batch, chunk);
}

/** All that is left of it. */
export function endSpans(batch: HeldBatch): void {
  for (const chunk of batch.chunks.values()) endSpan(batch, chunk);
}

function endSpan({ id, worker, origin: { events } }: HeldBatch, chunk: HeldChunk): void {
  const { span, first, last } = chunk;
  if (span === null) return;
  chunk.span = null;
  const seconds = (performance.now() - span.beganAt) / 1_000;
  events.emit('chunk.ended', { trace: span.trace, batch: id, worker, first, last, seconds });
}
