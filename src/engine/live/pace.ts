import type { BatchRecord } from '../../db/batches.ts';
import { rateWindowSeconds } from '../../db/results.ts';

/** Under this, an estimate says more about the start of a batch than about its pace. */
const minSeconds = 0.2;
/** A waiting batch renews its note. This long after a note's end, no process has renewed it. */
const waitingGraceMs = 2_000;

/** Items in a final status. */
export function finishedItems({ succeeded, failed, cancelled, expired }: BatchRecord): number {
  return succeeded + failed + cancelled + expired;
}

/** Share of items in a final status, 0 to 1; 0 of a batch without items. */
export function progressOf(batch: BatchRecord): number {
  return finishedItems(batch) / Math.max(batch.total, 1);
}

/** True where the batch waits for its provider, as its process has noted. */
export function isWaiting({ status, waitingReason, waitingUntil, readAt }: BatchRecord): boolean {
  if (status !== 'PROCESSING' || waitingReason === null || waitingUntil === null) return false;
  return waitingUntil.getTime() + waitingGraceMs > readAt.getTime();
}

/**
 * Seconds from the start of the batch to its end, or to now, without those in which it was paused
 * and those between an end and a retry; 0 before its start.
 */
export function workedSeconds(batch: BatchRecord): number {
  const { startedAt, completedAt, pausedSince, readAt, idleSeconds } = batch;
  if (!startedAt) return 0;
  const ends = [completedAt ?? readAt, ...(pausedSince ? [pausedSince] : [])];
  const stoppedMs = Math.min(...ends.map((end) => end.getTime()));
  return Math.max(0, (stoppedMs - startedAt.getTime()) / 1000 - idleSeconds);
}

/**
 * Items answered per second: a decaying average while the batch runs (corrected for a young batch),
 * over all the time in which it ran once it has ended. Null before the first answer, while it is
 * paused, and while a batch API has its items.
 */
export function itemsPerSecond(batch: BatchRecord): number | null {
  const { status, startedAt, completedAt, rateAt, readAt } = batch;
  const answered = batch.succeeded + batch.failed;
  if (!startedAt || answered === 0) return null;
  const seconds = Math.max(workedSeconds(batch), minSeconds);
  if (completedAt) return answered / seconds;
  // A job at a provider answers all at once: its last rate says nothing of when the next one
  // ends.
  const isAtProvider = batch.execution === 'PROVIDER_BATCH' && !batch.rescuedAt;
  if (status === 'PAUSED' || !rateAt || isAtProvider) return null;
  const seen = 1 - Math.exp(-seconds / rateWindowSeconds);
  return (batch.rate * Math.exp(-secondsBetween(rateAt, readAt) / rateWindowSeconds)) / seen;
}

/**
 * When the batch will end at its present pace. Null without a pace, once it has ended, and where it
 * stands still first: for its provider, or for somebody who has looked at its preview.
 */
export function estimatedCompletionAt(batch: BatchRecord): Date | null {
  const pace = itemsPerSecond(batch);
  if (batch.status !== 'PROCESSING' || pace === null || pace < 1e-6) return null;
  const isInPreview = batch.previewItems !== null && batch.previewResumedAt === null;
  if (isInPreview || isWaiting(batch)) return null;
  const left = batch.total - finishedItems(batch);
  const at = batch.readAt.getTime() + (left / pace) * 1000;
  return at <= batch.expiresAt.getTime() ? new Date(at) : null;
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000);
}
