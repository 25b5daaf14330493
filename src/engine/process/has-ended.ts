import { isFinal } from '../../db/final-status.ts';
import type { BatchStatus } from '../../db/tables.ts';

/**
 * Whether what was written has ended its batch: of all writes, the one that changed something and
 * left it in a final state.
 */
export function hasEnded(written: { recorded: number; status: BatchStatus } | null): boolean {
  return written !== null && written.recorded > 0 && isFinal(written.status);
}
