import { startDraft, startDraftWithin } from '../db/batch-life.ts';
import { readBatch } from '../db/batches.ts';
import { giveBackItems, storeWithin, takingOf } from '../db/takings.ts';
import type { Caller } from './caller.ts';

/**
 * Hands a DRAFT to the workers. A batch in another state is left alone. Throws LimitExceeded where
 * a limit of its owner leaves no room: it stays a DRAFT then.
 */
export async function startBatch(
  { db, nudges, limitsOf, asking }: Pick<Caller, 'db' | 'nudges' | 'limitsOf' | 'asking'>,
  owner: string,
  id: string,
): Promise<void> {
  const limits = limitsOf(owner);
  const key =
    limits === null
      ? await startDraft(db, owner, id)
      : await startWithin({ db, limits }, { owner, id });
  if (key !== null) await nudges.send(key, 'work', asking);
}

async function startWithin(
  { db, limits }: Pick<Caller, 'db'> & { limits: ReturnType<Caller['limitsOf']> },
  { owner, id }: { owner: string; id: string },
): Promise<bigint | null> {
  const batch = await readBatch(db, owner, id);
  if (batch?.status !== 'DRAFT') return null;
  const taking = takingOf(limits, { owner, batch: id, items: batch.total });
  const key = await storeWithin(db.sql, taking, () =>
    startDraftWithin(db.sql, { owner, id }, taking),
  );
  if (key === null && taking !== null) await giveBackItems(db.sql, owner, taking.items);
  return key;
}
