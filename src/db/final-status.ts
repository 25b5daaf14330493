import type { BatchStatus } from './tables.ts';

const finalBatchStatuses: ReadonlySet<BatchStatus> = new Set([
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
]);

/** Whether a batch with this status changes no more, unless it is retried. */
export function isFinal(status: BatchStatus): boolean {
  return finalBatchStatuses.has(status);
}
