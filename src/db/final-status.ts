import type { BatchStatus } from './tables.ts';

const finalStatuses: ReadonlySet<BatchStatus> = new Set([
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
]);

/** Whether a batch with this status changes no more, unless it is retried. */
export function isFinal(status: BatchStatus): boolean {
  return finalStatuses.has(status);
}
