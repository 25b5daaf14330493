import type { Log } from '../core/log.ts';
import { hideBatch } from '../db/deletions.ts';
import type { Database } from '../db/driver/client.ts';
import type { Signals } from '../engine/process/signals.ts';

/**
 * Deletes a batch: unknown to its owner at once, its calls aborted as soon as workers hear of it, its rows purged in the background.
 * False where there is none.
 */
export async function deleteBatch(
  { db, signals, log }: { db: Database; signals: Signals; log?: Log | undefined },
  owner: string,
  id: string,
): Promise<boolean> {
  const key = await hideBatch(db.sql, owner, id);
  if (key === null) return false;
  log?.info({ batch: id, owner }, 'batch deleted');
  await signals.send(key, 'stop');
  await signals.sendDeleted({ id, owner });
  return true;
}
