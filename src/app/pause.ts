/** Batches that send nothing new for a while, on the wish of their owners. */
import { BadUserInput } from '../core/errors.ts';
import { readBatch } from '../db/batches.ts';
import { readStanding } from '../db/budgets.ts';
import type { Database } from '../db/driver/client.ts';
import { type OwnerLimits, readOwnerStanding } from '../db/owner-limits.ts';
import { beginPause, endPause } from '../db/pauses.ts';
import { resumePreview } from '../db/previews.ts';
import { usd, usdUp, whyOwnerUsedUp } from '../engine/process/cost-limit.ts';
import type { Caller } from './caller.ts';
import { refuseUnpriced } from './price-of.ts';

/**
 * Pauses a batch. Workers give back what they have not sent as soon as they hear of it; calls under
 * way end and are recorded. One that does not run, or is unknown to this owner, is left alone.
 */
export async function pauseBatch(
  { db, nudges, events, asking }: Pick<Caller, 'db' | 'nudges' | 'events' | 'asking'>,
  owner: string,
  id: string,
): Promise<void> {
  const key = await beginPause(db, owner, id);
  if (key === null) return;
  events.emit('batch.paused', { batchKey: key, reason: 'REQUESTED', cause: asking });
  await nudges.send(key, 'stop', asking);
}

/**
 * Lets a paused batch go on, with its time renewed, and under another limit where one is given.
 * What waits behind a preview starts where that is over. While it still runs, the rest joins it;
 * but another limit, or the end of a pause for money, leaves the preview as it is. Of another batch
 * that is not paused only the limit changes; one that has ended is left alone. Throws BadUserInput
 * where its own limit or its owner's is used up, and for a limit of a model without a known price.
 */
export async function resumeBatch(
  {
    db,
    nudges,
    limits,
    providers,
    events,
    asking,
  }: Pick<Caller, 'db' | 'nudges' | 'providers' | 'events' | 'asking'> & { limits: OwnerLimits },
  owner: string,
  id: string,
  { maxCostUsd }: { maxCostUsd?: number | undefined },
): Promise<void> {
  const batch = await readBatch(db, owner, id);
  if (batch && maxCostUsd !== undefined) {
    const { model, execution, options } = batch;
    const given = { model, execution, options: JSON.parse(options) as object };
    refuseUnpriced(providers, given, 'maxCostUsd');
  }
  if (batch?.pauseReason) await refuseUsedUp(db, batch.key, maxCostUsd);
  if (batch?.pauseReason === 'OWNER_BUDGET') await refuseUsedUpMonth(db, limits, batch.owner);
  const previewed = await resumePreview(db.sql, owner, id, {
    hasLimit: maxCostUsd !== undefined,
  });
  const key = (await endPause(db.sql, owner, id, maxCostUsd)) ?? previewed;
  if (key === null) return;
  if (batch?.pauseReason) events.emit('batch.goes_on', { batchKey: key, cause: asking });
  await nudges.send(key, 'work', asking);
}

async function refuseUsedUp({ sql }: Database, key: bigint, given?: number): Promise<void> {
  const standing = await readStanding(sql, key, given ?? null);
  if (!standing) return;
  const { meanUsd, spentUsd, heldItems, maxCostUsd } = standing;
  if (meanUsd === null || maxCostUsd === null) return;
  const leastUsd = spentUsd + (heldItems + 1) * meanUsd;
  if (leastUsd <= maxCostUsd) return;
  const message = `must be at least ${usdUp(leastUsd)}, and is ${usd(maxCostUsd)}: ${usd(spentUsd)} were spent, and an item costs about ${usd(meanUsd)}`;
  throw new BadUserInput([{ path: 'maxCostUsd', message }]);
}

async function refuseUsedUpMonth(
  { sql }: Database,
  limits: OwnerLimits,
  owner: string,
): Promise<void> {
  const standing = await readOwnerStanding(sql, limits, owner);
  if (!standing || standing.spentUsd + standing.heldUsd < standing.limitUsd) return;
  const message = `must be a batch whose owner has something left to spend: ${whyOwnerUsedUp(owner, standing)}`;
  throw new BadUserInput([{ path: 'id', message }]);
}
