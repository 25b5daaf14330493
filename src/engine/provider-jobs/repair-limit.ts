/**
 * The limit on live repairs of a job, where its batch or its owner has one. The job itself was cut
 * to that at its own price, and each repair costs as much again, at the live one.
 */
import { pauseForBudget, readStanding } from '../../db/budgets.ts';
import { pauseForOwner, readOwnerStanding } from '../../db/owner-limits.ts';
import { whyOver, whyOwnerUsedUp } from '../process/cost-limit.ts';
import type { ItemRun } from '../run/item-run.ts';
import type { JobStep } from './job.ts';

/** The live price by that in a job, as everybody publishes for batches. */
const livePriceFactor = 2;

export interface RepairLimit {
  /** Sets aside what the next request of a run is to cost. False where that is not left. */
  admits(run: ItemRun): boolean;
  /** The request has ended, or was not made: what it has cost is known. */
  ended(run: ItemRun): void;
  /** Whose limit did not admit some request; null where all were admitted. */
  readonly usedUp: 'batch' | 'owner' | null;
}

/** For the repairs of these runs, which a job has answered. Null without a limit. */
export async function openRepairLimit(
  { job, db, limits, origin }: JobStep,
  runs: readonly ItemRun[],
): Promise<RepairLimit | null> {
  if (runs.length === 0) return null;
  const [own, owner] = await Promise.all([
    readStanding(db.sql, job.batchKey),
    readOwnerStanding(db.sql, limits, origin.owner),
  ]);
  let [leftUsd, whose]: [number, 'batch' | 'owner'] = [Number.POSITIVE_INFINITY, 'batch'];
  if (own && own.maxCostUsd !== null) {
    const { maxCostUsd, spentUsd, heldItems, meanUsd } = own;
    // What the job's answers to these cost is known, and not written down yet.
    const answeredUsd = runs.reduce((sum, { usage }) => sum + (usage.costUsd ?? 0), 0);
    const otherUsd = Math.max(0, heldItems - runs.length) * (meanUsd ?? 0);
    leftUsd = maxCostUsd - spentUsd - answeredUsd - otherUsd;
  }
  const ownerUsd = owner ? owner.limitUsd - owner.spentUsd - owner.heldUsd : leftUsd;
  if (ownerUsd < leftUsd) [leftUsd, whose] = [ownerUsd, 'owner'];
  return Number.isFinite(leftUsd) ? limitTo(leftUsd, whose) : null;
}

function limitTo(usd: number, whose: 'batch' | 'owner'): RepairLimit {
  let leftUsd = usd;
  let isUsedUp = false;
  /** Cost of each run before its request, and the sum set aside for that. */
  const asked = new Map<ItemRun, { before: number; expected: number }>();
  /** Cost of the last request of each run. */
  const last = new Map<ItemRun, number>();
  return {
    admits(run) {
      const before = run.usage.costUsd ?? 0;
      const expected = last.get(run) ?? before * livePriceFactor;
      if (expected > leftUsd) {
        isUsedUp = true;
        return false;
      }
      leftUsd -= expected;
      asked.set(run, { before, expected });
      return true;
    },
    ended(run) {
      const { before, expected } = asked.get(run) ?? { before: 0, expected: 0 };
      const cost = (run.usage.costUsd ?? before) - before;
      if (cost > 0) last.set(run, cost);
      leftUsd += expected - cost;
    },
    get usedUp() {
      return isUsedUp ? whose : null;
    },
  };
}

/** Pauses the batch of a job whose repairs found nothing left, by what is written down now. */
export async function pauseUsedUp(
  { job: { batchKey }, db, limits, origin, events }: JobStep,
  whose: 'batch' | 'owner',
): Promise<void> {
  const { owner } = origin;
  if (whose === 'owner') {
    const standing = await readOwnerStanding(db.sql, limits, owner);
    if (!standing) return;
    if (await pauseForOwner(db.sql, batchKey, whyOwnerUsedUp(owner, standing))) {
      events.emit('batch.paused', { batchKey, reason: 'OWNER_BUDGET' });
    }
    return;
  }
  const standing = await readStanding(db.sql, batchKey);
  if (!standing) return;
  const pause = { ...standing, message: whyOver(standing), whileHeld: true };
  if (await pauseForBudget(db.sql, batchKey, pause)) {
    events.emit('batch.paused', { batchKey, reason: 'BUDGET' });
  }
}
