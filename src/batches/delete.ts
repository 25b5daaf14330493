import type { Database } from '../db/client.ts';
import { hideBatch } from '../db/deletions.ts';
import type { Signals } from './signals.ts';

/**
 * Deletes a batch: unknown to its owner at once, its calls aborted as soon as workers hear of it, its rows purged in the background.
 * False where there is none.
 */
export async function deleteBatch(
  { db, signals }: { db: Database; signals: Signals },
  owner: string,
  id: string,
): Promise<boolean> {
  const key = await hideBatch(db.sql, owner, id);
  if (key === null) return false;
  await signals.send(key, 'stop');
  await signals.sendDeleted({ id, owner });
  return true;
}
