import { beginCancel } from '../db/batch-life.ts';
import type { Database } from '../db/driver/client.ts';
import { finishChunks } from '../db/finish-chunks.ts';
import { recordTwins } from '../db/twins.ts';
import type { Nudges } from '../engine/process/nudges.ts';
import { tellRecorded } from '../engine/process/tell-recorded.ts';
import type { Telling } from '../telemetry/events.ts';

/**
 * Cancels a batch. Workers abort its calls as soon as they hear of it. Of what nobody holds, 20,000
 * items are CANCELLED before this returns, so that a small batch has ended; the reaper goes on with
 * the rest. One that has ended, or is unknown to this owner, is left alone.
 */
export async function cancelBatch(
  { db, nudges, events }: { db: Database; nudges: Nudges; events: Telling },
  owner: string,
  id: string,
): Promise<void> {
  const key = await beginCancel(db, owner, id);
  if (key === null) return;
  await nudges.send(key, 'stop');
  const written = await finishChunks(db.sql, { batchKey: key, status: 'CANCELLED' });
  const copied = await recordTwins(db.sql, key, { leaders: null });
  tellRecorded(events, key, written);
  tellRecorded(events, key, copied);
  await nudges.send(key, 'progress');
}
