import { AppError } from '../core/errors.ts';
import { readBatch } from '../db/batches.ts';
import type { Database } from '../db/driver/client.ts';
import { type Retry, retryItems } from '../db/retries.ts';
import type { Nudges } from '../engine/process/nudges.ts';

/**
 * Puts items that failed, expired or were cancelled back in the queue. Returns how many items will
 * be asked again; 0 leaves the batch as it is. What succeeded is never asked again. Throws CONFLICT
 * for a batch that is being cancelled.
 */
export async function retryBatch(
  { db, nudges }: { db: Database; nudges: Nudges },
  retry: Retry,
): Promise<number> {
  const retried = await retryItems(db.sql, retry);
  if (!retried) {
    const batch = await readBatch(db, retry.owner, retry.id);
    if (batch?.status !== 'CANCELLING') return 0;
    throw new AppError(
      'CONFLICT',
      'The batch must be CANCELLED before a retry; it is still CANCELLING',
    );
  }
  await nudges.send(retried.key, 'work');
  return retried.retriedItems;
}
