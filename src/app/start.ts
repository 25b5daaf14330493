import { startDraft } from '../db/batch-life.ts';
import type { Database } from '../db/driver/client.ts';
import type { Nudges } from '../engine/process/nudges.ts';

/** Hands a DRAFT to the workers. A batch in another state is left alone. */
export async function startBatch(
  { db, nudges }: { db: Database; nudges: Nudges },
  owner: string,
  id: string,
): Promise<void> {
  const key = await startDraft(db, owner, id);
  if (key !== null) await nudges.send(key, 'work');
}
