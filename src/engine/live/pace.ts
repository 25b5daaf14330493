import type { BatchRecord } from '../../db/batches.ts';
import { rateWindowSeconds } from '../../db/results.ts';

/** Under this, an estimate says more about the start of a batch than about its pace. */
const minSeconds = 0.2;

/** Items in a final status. */
export function finishedItems({ succeeded, failed, cancelled, expired }: BatchRecord): number {
  return succeeded + failed + cancelled + expired;
}

/** Share of items in a final status, 0 to 1; 0 of a batch without items. */
export function progressOf(batch: BatchRecord): number {
  return finishedItems(batch) / Math.max(batch.total, 1);
}

/**
 * Items answered per second: a decaying average while the batch runs (corrected for a young batch),
 * over its whole life once it has ended. Null before the first answer.
 */
export function itemsPerSecond(batch: BatchRecord): number | null {
  const { startedAt, completedAt, rateAt, readAt } = batch;
  const answered = batch.succeeded + batch.failed;
  if (!startedAt || answered === 0) return null;
  // A job at a provider answers all at once: its last rate says nothing of when the next one
  // ends.
  const isAtProvider = batch.execution === 'PROVIDER_BATCH' && !batch.rescuedAt;
  if (completedAt) return answered / Math.max(secondsBetween(startedAt, completedAt), minSeconds);
  if (!rateAt || isAtProvider) return null;
  const seen =
    1 - Math.exp(-Math.max(secondsBetween(startedAt, readAt), minSeconds) / rateWindowSeconds);
  return (batch.rate * Math.exp(-secondsBetween(rateAt, readAt) / rateWindowSeconds)) / seen;
}

/** When the batch will end at its present pace; null without a pace, and once it has ended. */
export function estimatedCompletionAt(batch: BatchRecord): Date | null {
  const pace = itemsPerSecond(batch);
  if (batch.status !== 'PROCESSING' || pace === null || pace < 1e-6) return null;
  const left = batch.total - finishedItems(batch);
  const at = batch.readAt.getTime() + (left / pace) * 1000;
  return at <= batch.expiresAt.getTime() ? new Date(at) : null;
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000);
}
