import { hideBatch } from '../db/deletions.ts';
import type { Database } from '../db/driver/client.ts';
import type { Nudges } from '../engine/process/nudges.ts';
import type { Telling } from '../telemetry/events.ts';

/**
 * Deletes a batch: unknown to its owner at once, its calls aborted as soon as workers hear of it,
 * its rows purged in the background. False for an unknown batch.
 */
export async function deleteBatch(
  { db, nudges, events }: { db: Database; nudges: Nudges; events: Telling },
  owner: string,
  id: string,
): Promise<boolean> {
  const key = await hideBatch(db, owner, id);
  if (key === null) return false;
  events.emit('batch.deleted', { batch: id, owner });
  await nudges.send(key, 'stop');
  await nudges.sendDeleted({ id, owner });
  return true;
}
