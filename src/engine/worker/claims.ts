/**
 * Claims chunks for a worker: whenever fewer items are ready than calls may run, and at once when a
 * batch is submitted; from batches in fair order. What was claimed and could not be taken in is
 * given back.
 */
import type { ClaimedChunk } from '../../db/chunks.ts';
import type { HeldBatch } from './held-batch.ts';
import { claimOpen } from './limits.ts';
import type { WorkerState } from './state.ts';
import { takeIn } from './take-in.ts';

/** Owners whose last batch is remembered, and batches whose last claim is. */
const maxRemembered = 1_000;

/**
 * Time between looks of a worker for chunks from the start of a batch, not from behind its last
 * claim. Claimed chunks stay in the index while an old snapshot is held. Each look from the start
 * reads all of them again.
 */
const lookFromStartEveryMs = 1_000;

/** A chunk has about a hundred items: a claim takes about as many as may be under way at once. */
const itemsPerChunk = 100;

/** A batch with fewer items ready than this share of the concurrency claims before its turn. */
const dryShare = 0.125;

/** Nothing was open: that is not asked again sooner, unless a nudge says that something is. */
const emptyMs = 20;
/** A claim that failed is tried again after this. */
const retryMs = 500;

/** Starts the next claim, if one is due and none is under way. */
export function claimDue(state: WorkerState, now: number): void {
  const { claims, clock, log } = state;
  const worker = state.lease.id();
  if (claims.running || state.stopping || worker === null || now < claims.failedUntil) return;
  const claiming = nextClaim(state, worker, now);
  if (!claiming) return;
  claims.running = claiming
    .catch((error: unknown) => {
      log.warn({ err: error }, 'could not claim; trying again');
      claims.failedUntil = clock.now() + retryMs;
      claims.isComparing = true;
    })
    .finally(() => {
      claims.running = null;
      state.wake();
    });
}

/** Claims as soon as one may be open again. */
export function claimSoon({ claims, wake }: WorkerState): void {
  claims.emptyUntil = Number.NEGATIVE_INFINITY;
  claims.failedUntil = Number.NEGATIVE_INFINITY;
  wake();
}

/**
 * Claims from this batch if hardly anything of it is ready, even if enough else is. Else it would
 * wait until those before it need more.
 */
export function claimFrom(state: WorkerState, batchKey: bigint): void {
  const batch = state.batches.get(batchKey);
  if (batch) batch.mayHaveMore = true;
  state.claims.usedUpUntil.delete(batchKey);
  state.claims.fresh.add(batchKey);
  claimSoon(state);
}

/** Gives back what is leased to this worker but not held: the answer to a claim may get lost. */
export function compareLeases(state: WorkerState): void {
  state.claims.isComparing = true;
  claimSoon(state);
}

function nextClaim(state: WorkerState, worker: string, now: number): Promise<void> | null {
  const { claims } = state;
  const wantsMore = state.ready < state.concurrency;
  if (!wantsMore) freshenDry(state);
  const asked = freshBatches(state);
  if (asked.length > 0) return claimFresh(state, worker, asked);
  if (wantsMore && now >= claims.emptyUntil) return claimNext(state, worker);
  // In turn with claims, so that a chunk that is being claimed is not taken for an unknown one.
  return claims.isComparing ? compare(state, worker) : null;
}

/** A batch with hardly any item left to send would lose its turn while others have enough. */
function freshenDry(state: WorkerState): void {
  for (const batch of state.batches.values()) {
    if (isDry(state, batch) && batch.mayHaveMore) state.claims.fresh.add(batch.key);
  }
}

function freshBatches(state: WorkerState): bigint[] {
  const { fresh } = state.claims;
  for (const key of fresh) {
    const batch = state.batches.get(key);
    if (batch && !isDry(state, batch)) fresh.delete(key);
  }
  return [...fresh];
}

function isDry({ concurrency }: WorkerState, { ready }: HeldBatch): boolean {
  return ready.length < concurrency * dryShare;
}

/**
 * A chunk of one of these batches, in fair order: an owner who submits a thousand batches does not
 * go before the others for that long.
 */
async function claimFresh(
  state: WorkerState,
  worker: string,
  asked: readonly bigint[],
): Promise<void> {
  const { claims, batches } = state;
  const claimed = await claimSome(state, worker, { limit: 1, onlyBatchKeys: asked });
  for (const key of claimed === null ? asked : [claimed]) {
    claims.fresh.delete(key);
    const batch = batches.get(key);
    if (batch && claimed === null) batch.mayHaveMore = false;
  }
}

async function claimNext(state: WorkerState, worker: string): Promise<void> {
  const limit = Math.ceil(state.concurrency / itemsPerChunk);
  const claimed = await claimSome(state, worker, { limit, onlyBatchKeys: null });
  if (claimed === null) state.claims.emptyUntil = state.clock.now() + emptyMs;
}

/** Claims from the next batch in fair order. Returns its key; null where nothing was open. */
async function claimSome(
  state: WorkerState,
  worker: string,
  only: { limit: number; onlyBatchKeys: readonly bigint[] | null },
): Promise<bigint | null> {
  const { claims, clock, events } = state;
  const { lastOwner: owner, lastBatches: batches, nextFirsts: from } = claims;
  const beganAt = performance.now();
  const claim = { ...only, worker, after: { owner, batches }, from };
  if (clock.now() >= claims.lookedFromStartAt + lookFromStartEveryMs) lookFromStart(state);
  let chunks = await claimOpen(state, claim);
  if (chunks.length === 0 && from.size > 0) {
    // What is still open stands before them, given back or put back by a retry.
    lookFromStart(state);
    chunks = await claimOpen(state, claim);
  }
  const [first] = chunks;
  if (!first) return null;
  const { batchKey, batchOwner } = first;
  events.emit('chunk.claimed', { batchKey, worker, chunks: chunks.length });
  if (first.begun) events.emit('batch.started', { batchKey });
  if (from.size >= maxRemembered) from.clear();
  from.set(batchKey, Math.max(...chunks.map(({ last }) => last)) + 1);
  claims.lastOwner = batchOwner;
  if (batches.size >= maxRemembered) batches.clear();
  batches.set(batchOwner, batchKey);
  if (!(await takeIn(state, worker, { batchKey, chunks }))) claims.isComparing = true;
  if (events.has('claim.ended')) tellOf(state, { batchKey, worker, chunks, beganAt });
  return batchKey;
}

/** Tells of a claim. Nobody knows the span of a batch that was not taken in. */
function tellOf(
  { batches, events }: WorkerState,
  claim: {
    batchKey: bigint;
    worker: string;
    chunks: readonly ClaimedChunk[];
    beganAt: number;
  },
): void {
  const batch = batches.get(claim.batchKey);
  if (!batch) return;
  events.emit('claim.ended', {
    trace: batch.trace,
    batch: batch.id,
    worker: claim.worker,
    chunks: claim.chunks.length,
    seconds: (performance.now() - claim.beganAt) / 1_000,
  });
}

function lookFromStart({ claims, clock }: WorkerState): void {
  claims.nextFirsts.clear();
  claims.lookedFromStartAt = clock.now();
}

async function compare(state: WorkerState, worker: string): Promise<void> {
  const { claims, batches, statements, log } = state;
  claims.isComparing = false;
  const known = [...batches.values()].flatMap(({ key, chunks }) =>
    [...chunks.keys()].map((first) => ({ batchKey: key, first })),
  );
  const released = await statements.releaseUnknown(worker, known);
  if (released > 0) log.info({ released }, 'gave back chunks that are not held');
}
