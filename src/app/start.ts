import { startDraft } from '../db/batch-life.ts';
import type { Database } from '../db/driver/client.ts';
import type { Signals } from '../engine/process/signals.ts';

/** Hands a DRAFT to the workers. A batch in another state is left alone. */
export async function startBatch(
  { db, signals }: { db: Database; signals: Signals },
  owner: string,
  id: string,
): Promise<void> {
  const key = await startDraft(db.sql, owner, id);
  if (key !== null) await signals.send(key, 'work');
}
