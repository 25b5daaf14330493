/**
 * Whose turn it is: owners take turns, and so do the batches of each. The one served longest ago
 * goes first. So a new batch goes at once, and an owner with a hundred batches gets no more than an
 * owner with one.
 */
import type { HeldBatch } from './held-batch.ts';

export interface FairOrder {
  /** The number of items sent so far. */
  turn: number;
  /** The turn in which each owner was served last; an owner who is not in it is next. */
  readonly owners: Map<string, number>;
  readonly batches: WeakMap<HeldBatch, number>;
}

/** Owners who are remembered. */
const maxOwners = 10_000;

export function createFairOrder(): FairOrder {
  return { turn: 0, owners: new Map(), batches: new WeakMap() };
}

/** Which of these is next; null of none. */
export function nextInOrder(order: FairOrder, batches: Iterable<HeldBatch>): HeldBatch | null {
  return first(batches, order);
}

/** Calls that a gate lets through now, beyond those that have a share of it. */
export interface Room {
  left: number;
}

/**
 * The next `places` as these batches share them, if each has items enough: in fair order to those
 * whose gate has room, and what is left to all.
 */
export function shareInOrder(
  { turn, owners, batches }: FairOrder,
  given: readonly HeldBatch[],
  { places, roomOf }: { places: number; roomOf: (batch: HeldBatch) => Room },
): Map<HeldBatch, number> {
  const [only, ...others] = given;
  if (only && others.length === 0 && places > 0) return new Map([[only, places]]);
  const shares = new Map<HeldBatch, number>();
  const then = {
    owners: new Map(given.map(({ owner }) => [owner, owners.get(owner) ?? 0])),
    batches: new Map(given.map((batch) => [batch, batches.get(batch) ?? 0])),
  };
  const hasRoom = (batch: HeldBatch) => roomOf(batch).left > 0;
  for (let place = 1; place <= places; place += 1) {
    const batch = first(given, then, hasRoom) ?? first(given, then);
    if (!batch) break;
    roomOf(batch).left -= 1;
    shares.set(batch, (shares.get(batch) ?? 0) + 1);
    then.owners.set(batch.owner, turn + place);
    then.batches.set(batch, turn + place);
  }
  return shares;
}

/** An item of the batch is sent. */
export function serve(order: FairOrder, batch: HeldBatch): void {
  order.turn += 1;
  if (order.owners.size >= maxOwners) order.owners.clear();
  order.owners.set(batch.owner, order.turn);
  order.batches.set(batch, order.turn);
}

function first(
  given: Iterable<HeldBatch>,
  { owners, batches }: { owners: FairOrder['owners']; batches: Pick<FairOrder['batches'], 'get'> },
  isAsked: (batch: HeldBatch) => boolean = () => true,
): HeldBatch | null {
  let best: HeldBatch | null = null;
  let [bestOwner, bestTime] = [0, 0];
  for (const batch of given) {
    if (!isAsked(batch)) continue;
    const owner = owners.get(batch.owner) ?? 0;
    const time = batches.get(batch) ?? 0;
    if (!best || owner < bestOwner || (owner === bestOwner && time < bestTime)) {
      best = batch;
      [bestOwner, bestTime] = [owner, time];
    }
  }
  return best;
}
