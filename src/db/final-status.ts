import type { ShownStatus } from './pauses.ts';

/** The statuses of batches that have ended. */
export const endedStatuses = ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;

const finalBatchStatuses: ReadonlySet<ShownStatus> = new Set(endedStatuses);

/** True where a batch with this status changes no more, unless it is retried. */
export function isFinal(status: ShownStatus): boolean {
  return finalBatchStatuses.has(status);
}
