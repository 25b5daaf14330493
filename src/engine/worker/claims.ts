/**
 * Claims chunks for a worker: whenever fewer items are ready than calls may run, and at once when a batch is submitted;
 * from batches in turn. What was claimed and could not be taken in is given back.
 */

import type { Log } from '../../core/log.ts';
import { type ClaimedChunk, claimChunks, releaseUnknownChunks } from '../../db/chunks.ts';
import type { Sql } from '../../db/driver/client.ts';
import { readOpenItems } from '../../db/items.ts';
import { type HeldBatch, type Holdings, holdChunk } from './held-batch.ts';

/** Owners whose last batch is remembered. */
const maxOwners = 1_000;

/**
 * How often a worker looks for chunks from the start of a batch, not from behind what it claimed last: what was claimed before stays in
 * the index while an old snapshot is held, and each look from the start reads all of it again.
 */
const lookFromStartEveryMs = 1_000;

/** A chunk has about a hundred items: a claim takes about as many as may be under way at once. */
const itemsPerChunk = 100;

export interface Claims {
  /** Claims until enough is ready. One claim at a time; asked for again meanwhile, it looks once more. */
  claim(): void;
  /** Claims from this batch if hardly anything of it is ready, even if enough else is, so that it does not wait until those before it need more. */
  claimFrom(batchKey: bigint): void;
  /** Gives back what is leased to this worker but not held: a claim whose answer was lost on the way. */
  compareLeases(): void;
  /** Claims nothing more. Resolves when no claim is under way. */
  stop(): Promise<void>;
}

export function createClaims({
  sql,
  held,
  workerId,
  wants,
  isDry,
  limit,
  hold,
  onClaimed,
  onBegun,
  log,
}: {
  sql: Sql;
  held: Holdings;
  workerId: () => string | null;
  /** Whether more is needed. */
  wants: () => boolean;
  /** Whether hardly anything of it is left to send. */
  isDry: (batch: HeldBatch) => boolean;
  /** Calls under way at once. */
  limit: number;
  /** Makes a batch one that this worker holds. Null where it must not be worked on, or not by this process. */
  hold: (batchKey: bigint, worker: string) => Promise<HeldBatch | null>;
  onClaimed: (batch: HeldBatch) => void;
  /** The batch was claimed from for the first time, by anybody. */
  onBegun: (batchKey: bigint) => void;
  log: Log;
}): Claims {
  /** Batches to claim from whatever else is ready. */
  const fresh = new Set<bigint>();
  let claiming: Promise<void> | null = null;
  let again = false;
  let comparing = false;
  let stopped = false;
  let lastOwner = '';
  /** The batch of each owner that was served last. */
  const lastBatches = new Map<string, bigint>();
  /** By batch, the index behind what was claimed of it last. */
  const nextFirsts = new Map<bigint, number>();
  let lookedFromStartAt = performance.now();

  function claim(): void {
    if (claiming !== null) {
      again = true;
      return;
    }
    claiming = claimAll()
      .catch((error: unknown) => {
        log.warn({ err: error }, 'could not claim; trying again');
        comparing = true;
      })
      // In turn with claims, so that a chunk that is just being claimed is not taken for an unknown one.
      .then(compare)
      .finally(() => {
        claiming = null;
        if (again) {
          again = false;
          claim();
        }
      });
  }

  async function claimAll(): Promise<void> {
    while (!stopped && fresh.size > 0) await claimFresh();
    while (!stopped && wants()) {
      if ((await claimSome(Math.ceil(limit / itemsPerChunk), null)) === null) return;
    }
  }

  /**
   * A chunk of one of them, in turn: whoever submits a thousand batches is not before the others
   * for that long.
   */
  async function claimFresh(): Promise<void> {
    for (const key of fresh) {
      const batch = held.get(key);
      if (batch && !isDry(batch)) fresh.delete(key);
    }
    const asked = [...fresh];
    if (asked.length === 0) return;
    const claimed = await claimSome(1, asked);
    for (const key of claimed === null ? asked : [claimed]) fresh.delete(key);
    if (claimed !== null) return;
    for (const key of asked) {
      const batch = held.get(key);
      if (batch) batch.mayHaveMore = false;
    }
  }

  /**
   * Claims from one batch: the next in turn, of all or of these. Returns its key; null where there
   * was nothing.
   */
  async function claimSome(
    chunkLimit: number,
    onlyBatchKeys: readonly bigint[] | null,
  ): Promise<bigint | null> {
    const worker = workerId();
    if (worker === null || stopped) return null;
    const claim = {
      worker,
      after: { owner: lastOwner, batches: lastBatches },
      limit: chunkLimit,
      onlyBatchKeys,
    };
    if (performance.now() >= lookedFromStartAt + lookFromStartEveryMs) lookFromStart();
    let chunks = await claimChunks(sql, { ...claim, from: nextFirsts });
    if (chunks.length === 0 && nextFirsts.size > 0) {
      // What is open yet stands before them, given back or put back by a retry.
      lookFromStart();
      chunks = await claimChunks(sql, { ...claim, from: nextFirsts });
    }
    const [first] = chunks;
    if (!first) return null;
    if (first.begun) onBegun(first.batchKey);
    if (nextFirsts.size >= maxOwners) nextFirsts.clear();
    nextFirsts.set(first.batchKey, Math.max(...chunks.map(({ last }) => last)) + 1);
    lastOwner = first.batchOwner;
    if (lastBatches.size >= maxOwners) lastBatches.clear();
    lastBatches.set(first.batchOwner, first.batchKey);
    if (!(await takeIn(first.batchKey, worker, chunks))) comparing = true;
    return first.batchKey;
  }

  function lookFromStart(): void {
    nextFirsts.clear();
    lookedFromStartAt = performance.now();
  }

  async function takeIn(
    batchKey: bigint,
    worker: string,
    chunks: readonly ClaimedChunk[],
  ): Promise<boolean> {
    const batch = held.get(batchKey) ?? (await hold(batchKey, worker));
    if (!batch) return false;
    const inOrder = [...chunks].sort((a, b) => a.first - b.first);
    const items = (
      await Promise.all(
        runsOf(inOrder).map((run) => readOpenItems(sql, { ...run, fileKey: batch.fileKey })),
      )
    ).flat();
    // It may have been dropped while the items were read, or the lease lost.
    if (batch.abort.signal.aborted || workerId() !== batch.worker) return false;
    held.set(batchKey, batch); // nor is it held any more if its other chunks were all recorded meanwhile
    let next = 0;
    for (const chunk of inOrder) {
      const start = next;
      while ((items[next]?.index ?? Number.POSITIVE_INFINITY) <= chunk.last) next += 1;
      holdChunk(batch, chunk, items.slice(start, next));
    }
    onClaimed(batch);
    return true;
  }

  async function compare(): Promise<void> {
    const worker = workerId();
    if (!comparing || worker === null) return;
    comparing = false;
    const known = [...held.values()].flatMap(({ key, chunks }) =>
      [...chunks.keys()].map((first) => ({ batchKey: key, first })),
    );
    try {
      const released = await releaseUnknownChunks(sql, worker, known);
      if (released > 0) log.info({ released }, 'gave back chunks that are not held');
    } catch (error) {
      comparing = true; // with the next claim: until then nobody works on them
      log.warn({ err: error }, 'could not compare leases; trying again');
    }
  }

  return {
    claim,
    claimFrom(batchKey) {
      fresh.add(batchKey);
      claim();
    },
    compareLeases() {
      comparing = true;
      claim();
    },
    async stop() {
      stopped = true;
      while (claiming !== null) await claiming;
    },
  };
}

/** The items of one run are read by one statement. */
const maxRunItems = 2_000;

/** Chunks that follow each other, and of which either some items or none have a result, as one range; all of one batch, in order. */
function runsOf(chunks: readonly ClaimedChunk[]) {
  const runs: { batchKey: bigint; first: number; last: number; someDone: boolean }[] = [];
  for (const { batchKey, first, last, done } of chunks) {
    const run = runs.at(-1);
    const someDone = done > 0;
    const goesOn = run && run.last + 1 === first && run.someDone === someDone;
    if (goesOn && last - run.first < maxRunItems) run.last = last;
    else runs.push({ batchKey, first, last, someDone });
  }
  return runs;
}
