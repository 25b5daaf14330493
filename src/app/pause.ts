/** Batches that send nothing new for a while, on the wish of their owners. */
import type { Database } from '../db/driver/client.ts';
import { beginPause, endPause } from '../db/pauses.ts';
import type { Nudges } from '../engine/process/nudges.ts';

/**
 * Pauses a batch. Workers give back what they have not sent as soon as they hear of it; calls under
 * way end and are recorded. One that does not run, or is unknown to this owner, is left alone.
 */
export async function pauseBatch(
  { db, nudges }: { db: Database; nudges: Nudges },
  owner: string,
  id: string,
): Promise<void> {
  const key = await beginPause(db, owner, id);
  if (key !== null) await nudges.send(key, 'stop');
}

/** Lets a paused batch go on, with its time renewed. One that is not paused is left alone. */
export async function resumeBatch(
  { db, nudges }: { db: Database; nudges: Nudges },
  owner: string,
  id: string,
): Promise<void> {
  const key = await endPause(db, owner, id);
  if (key !== null) await nudges.send(key, 'work');
}
