import { beginCancel } from '../db/batch-life.ts';
import type { Database } from '../db/client.ts';
import { finishEnding } from './reaper.ts';
import type { Signals } from './signals.ts';

/**
 * Cancels a batch. Workers abort its calls as soon as they hear of it; what nobody holds is CANCELLED before this returns.
 * One that has ended, or is unknown to this owner, is left alone.
 */
export async function cancelBatch(
  { db, signals }: { db: Database; signals: Signals },
  owner: string,
  id: string,
): Promise<void> {
  const key = await beginCancel(db.sql, owner, id);
  if (key === null) return;
  await signals.send(key, 'stop');
  await finishEnding({ db, signals }, key, 'CANCELLED');
}
