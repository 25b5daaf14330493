import { hideBatch } from '../db/deletions.ts';
import type { Caller } from './caller.ts';

/**
 * Deletes a batch: unknown to its owner at once, its calls aborted as soon as workers hear of it,
 * its rows purged in the background. False for an unknown batch.
 */
export async function deleteBatch(
  { db, nudges, events, asking }: Pick<Caller, 'db' | 'nudges' | 'events' | 'asking'>,
  owner: string,
  id: string,
): Promise<boolean> {
  const key = await hideBatch(db, owner, id);
  if (key === null) return false;
  events.emit('batch.deleted', { batch: id, owner, cause: asking });
  await nudges.send(key, 'stop', asking);
  await nudges.sendDeleted({ id, owner }, asking);
  return true;
}
