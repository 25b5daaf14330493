import { beginCancel } from '../db/batch-life.ts';
import { finishChunks } from '../db/finish-chunks.ts';
import { recordTwins } from '../db/twins.ts';
import { tellRecorded } from '../engine/process/tell-recorded.ts';
import type { Caller } from './caller.ts';

/**
 * Cancels a batch. Workers abort its calls as soon as they hear of it. Of what nobody holds, 20,000
 * items are CANCELLED before this returns, so that a small batch has ended; the reaper goes on with
 * the rest. One that has ended, or is unknown to this owner, is left alone.
 */
export async function cancelBatch(
  { db, nudges, events, asking }: Pick<Caller, 'db' | 'nudges' | 'events' | 'asking'>,
  owner: string,
  id: string,
): Promise<void> {
  const key = await beginCancel(db, owner, id);
  if (key === null) return;
  await nudges.send(key, 'stop', asking);
  const written = await finishChunks(db.sql, { batchKey: key, status: 'CANCELLED' });
  const copied = await recordTwins(db.sql, key, { leaders: null });
  tellRecorded(events, key, written, { cause: asking });
  tellRecorded(events, key, copied, { cause: asking });
  await nudges.send(key, 'progress', asking);
}
