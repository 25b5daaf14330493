/**
 * Items under which workers died run alone in their process: nothing else is under way, marked or answered and not yet written beside them, since
 * all that would be charged with the next crash. So one at a time is let through, and what was marked before it ends first.
 */
import { aloneFromCrashes } from '../../db/chunks.ts';
import { type HeldBatch, type HeldItem, type Holdings, runsAlone } from './held-batch.ts';

export interface Suspects {
  /** The batch whose next item is the one that may run alone now, or will when the others have ended; null when there is none. */
  next(): HeldBatch | null;
  /** Nothing else would be charged with a crash. */
  isAlone(): boolean;
}

export function createSuspects({
  held,
  inFlight,
  isOpen,
}: {
  held: Holdings;
  inFlight: () => number;
  /** Whether its model takes a call now. */
  isOpen: (item: HeldItem) => boolean;
}): Suspects {
  /** One that is marked and not the next of its batch waits for another try, and is charged with any crash until it is answered. */
  function oneWaits(): boolean {
    for (const { chunks, ready } of held.values()) {
      for (const chunk of chunks.values()) {
        if (chunk.crashes < aloneFromCrashes || chunk.sentTo < chunk.first) continue;
        if (ready[0]?.chunk !== chunk) return true;
      }
    }
    return false;
  }

  return {
    next() {
      for (const batch of held.values()) {
        const [item] = batch.ready;
        if (!item || batch.abort.signal.aborted || !runsAlone(item)) continue;
        if (!isOpen(item)) continue;
        return oneWaits() ? null : batch;
      }
      return null;
    },
    isAlone() {
      if (inFlight() > 0) return false;
      for (const { ready, recorder } of held.values()) {
        const [item] = ready;
        if (recorder.unwritten() > 0) return false;
        if (item && !runsAlone(item) && item.index <= item.chunk.sentTo) return false;
      }
      return true;
    },
  };
}
