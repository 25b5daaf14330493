import type { Database } from '../db/driver/client.ts';
import { type Retry, retryItems } from '../db/retries.ts';
import type { Nudges } from '../engine/process/nudges.ts';

/**
 * Puts items that failed, expired or were cancelled back in the queue. Returns how many items will
 * be asked again; 0 leaves the batch as it is. What succeeded is never asked again.
 */
export async function retryBatch(
  { db, nudges }: { db: Database; nudges: Nudges },
  retry: Retry,
): Promise<number> {
  const retried = await retryItems(db.sql, retry);
  if (!retried) return 0;
  await nudges.send(retried.key, 'work');
  return retried.retriedItems;
}
