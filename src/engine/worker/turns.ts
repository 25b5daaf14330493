/**
 * Whose turn it is: owners take turns, and so do the batches of each. Who was served longest ago goes first, so a new batch does at once,
 * and somebody with a hundred batches gets no more than somebody with one.
 */
import type { HeldBatch } from './held-batch.ts';

export interface Turns {
  /** Which of these is next; null of none. */
  next(batches: Iterable<HeldBatch>): HeldBatch | null;
  /** How the next `places` go to these, if each has items enough. */
  share(batches: readonly HeldBatch[], places: number): Map<HeldBatch, number>;
  /** An item of it was sent. */
  served(batch: HeldBatch): void;
}

/** Owners who are remembered; one who is forgotten is next. */
const maxOwners = 10_000;

interface Served {
  owners: Map<string, number>;
  batches: Pick<WeakMap<HeldBatch, number>, 'get' | 'set'>;
}

export function createTurns(): Turns {
  const served: Served = { owners: new Map(), batches: new WeakMap() };
  let turn = 0;

  return {
    next: (batches) => first(batches, served),
    share(batches, places) {
      const shares = new Map<HeldBatch, number>();
      const owners = new Map(batches.map(({ owner }) => [owner, served.owners.get(owner) ?? 0]));
      const then: Served = {
        owners,
        batches: new Map(batches.map((batch) => [batch, served.batches.get(batch) ?? 0])),
      };
      for (let place = 1; place <= places; place += 1) {
        const batch = first(batches, then);
        if (!batch) break;
        shares.set(batch, (shares.get(batch) ?? 0) + 1);
        owners.set(batch.owner, turn + place);
        then.batches.set(batch, turn + place);
      }
      return shares;
    },
    served(batch) {
      turn += 1;
      if (served.owners.size >= maxOwners) served.owners.clear();
      served.owners.set(batch.owner, turn);
      served.batches.set(batch, turn);
    },
  };
}

function first(batches: Iterable<HeldBatch>, { owners, batches: times }: Served): HeldBatch | null {
  let best: HeldBatch | null = null;
  let [bestOwner, bestTime] = [0, 0];
  for (const batch of batches) {
    const owner = owners.get(batch.owner) ?? 0;
    const time = times.get(batch) ?? 0;
    if (!best || owner < bestOwner || (owner === bestOwner && time < bestTime)) {
      best = batch;
      [bestOwner, bestTime] = [owner, time];
    }
  }
  return best;
}
