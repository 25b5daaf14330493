/**
 * Batches that may cost so much at most, or whose owners may spend so much: claims within what is
 * left, a check after each flush, and the pause when it is used up.
 */
import { isUnpriced } from '../../core/usage.ts';
import type { BoundedClaim } from '../../db/budgets.ts';
import type { ClaimedChunk } from '../../db/chunks.ts';
import type { NewResult } from '../../db/results.ts';
import { unknownPrice, whyOwnerUsedUp, whyUsedUp } from '../process/cost-limit.ts';
import { giveBackUnsent } from './give-back.ts';
import type { HeldBatch } from './held-batch.ts';
import type { WorkerState } from './state.ts';
import type { Statements } from './statements.ts';

/** A batch of whose limit nothing is left for now is not asked again sooner. */
const usedUpMs = 100;
/** A claim that came upon others is tried again at once, so often. */
const maxTries = 10;

/** Passes over batches whose limit is used up for now. */
export async function claimOpen(
  state: WorkerState,
  claim: Omit<Parameters<Statements['claim']>[0], 'except'>,
): Promise<ClaimedChunk[]> {
  const { claims, clock, statements } = state;
  const { usedUpUntil } = claims;
  for (;;) {
    const now = clock.now();
    for (const [key, until] of usedUpUntil) if (until <= now) usedUpUntil.delete(key);
    const { chunks, bounded } = await statements.claim({
      ...claim,
      except: [...usedUpUntil.keys()],
    });
    if (!bounded) return chunks;
    const { batchKey, batchOwner: owner } = bounded;
    const { worker, limit } = claim;
    const within = await claimWithinLimits(state, { batchKey, owner, worker, limit });
    if (within.length > 0) return within;
    usedUpUntil.set(batchKey, now + usedUpMs);
  }
}

/** Never more than limits leave. Pauses the batch where that is nothing, and nothing is held. */
async function claimWithinLimits(
  state: WorkerState,
  claim: { batchKey: bigint; owner: string; worker: string; limit: number },
): Promise<ClaimedChunk[]> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const claimed = await state.statements.claimWithin(claim);
    if (!claimed) return [];
    if (claimed.chunks.length > 0) return claimed.chunks;
    if (!claimed.isFresh) continue;
    await pauseUsedUp(state, claim, claimed);
    return [];
  }
  return [];
}

async function pauseUsedUp(
  state: WorkerState,
  { batchKey, owner: name }: { batchKey: bigint; owner: string },
  { standing, owner }: BoundedClaim,
): Promise<void> {
  const { statements } = state;
  const message = whyUsedUp(standing);
  if (message !== null) await pauseForBudget(state, batchKey, { ...standing, message });
  else if (owner?.allowedItems === 0 && owner.heldUsd === 0) {
    const why = whyOwnerUsedUp(name, owner);
    if (await statements.pauseForOwner(batchKey, why)) tell(state, batchKey, 'OWNER_BUDGET');
  }
}

/**
 * Answers may have been dearer than the mean that they were claimed by: then what was not sent is
 * given back. Never rejects.
 */
export async function checkLimit(
  state: WorkerState,
  batch: HeldBatch,
  results: readonly Pick<NewResult, 'usage'>[],
): Promise<void> {
  try {
    const standing = await state.statements.readStanding(batch.key);
    if (!standing) return;
    const { spentUsd, meanUsd, heldItems, maxCostUsd } = standing;
    if (maxCostUsd === null) return;
    const isLost = results.some(({ usage }) => isUnpriced(usage));
    if (isLost) {
      const message = unknownPrice('an answer');
      await pauseForBudget(state, batch.key, { maxCostUsd, message, whileHeld: true });
    }
    const isOver = spentUsd + heldItems * (meanUsd ?? 0) > maxCostUsd;
    if (isLost || isOver) await giveBackUnsent(state, batch);
  } catch (error) {
    state.log.warn({ err: error, ...batch.about }, 'could not check the limit of a batch');
  }
}

/**
 * The same of the month of its owner: what is under way everywhere else leaves less than was
 * claimed by. One look at a time for a batch. Never rejects.
 */
export async function checkOwner(
  state: WorkerState,
  batch: HeldBatch,
  results: readonly Pick<NewResult, 'usage'>[],
): Promise<void> {
  // What has no known price is not held to a month.
  if (batch.isLookingAtOwner || !results.some(({ usage }) => usage.costUsd)) return;
  batch.isLookingAtOwner = true;
  try {
    const standing = await state.statements.readOwnerStanding(batch.owner);
    if (!standing) return;
    const { spentUsd, heldUsd, limitUsd } = standing;
    if (spentUsd + heldUsd > limitUsd) await giveBackUnsent(state, batch);
  } catch (error) {
    state.log.warn({ err: error, ...batch.about }, 'could not check the month of an owner');
  } finally {
    batch.isLookingAtOwner = false;
  }
}

async function pauseForBudget(
  state: WorkerState,
  batchKey: bigint,
  pause: { maxCostUsd: number | null; message: string; whileHeld?: boolean },
): Promise<void> {
  if (await state.statements.pauseForBudget(batchKey, pause)) tell(state, batchKey, 'BUDGET');
}

function tell({ events, publisher }: WorkerState, batchKey: bigint, reason: string): void {
  events.emit('batch.paused', { batchKey, reason });
  publisher.publish(batchKey);
}
