/**
 * Items under which workers died are in quarantine: each runs alone in its process. Nothing else is
 * under way, marked, or answered and not yet stored beside it, because all that would be charged
 * with the next crash. One at a time is let through, and what was marked before it ends first.
 */
import { aloneFromCrashes } from '../../db/reclaims.ts';
import type { HeldBatch } from './held-batch.ts';
import { isMarked, runsAlone } from './held-item.ts';
import { listenTo, type WorkerState } from './state.ts';

/**
 * The batch whose next item may run alone now, or will when the others have ended. Null where no
 * item is to run alone, or its model takes no call now. One that is marked goes first: it would be
 * charged with the crash of another, although nobody has asked about it.
 */
export function nextInQuarantine(state: WorkerState): HeldBatch | null {
  let next: HeldBatch | null = null;
  for (const batch of state.batches.values()) {
    const [item] = batch.ready;
    if (!item || batch.abort.signal.aborted || !runsAlone(item)) continue;
    const gate = item.gate();
    const isOpen = gate.isOpen();
    if (!isOpen) listenTo(state, gate);
    if (item.chunk.sentTo >= item.chunk.first) {
      next = isOpen ? batch : null;
      break;
    }
    if (isOpen) next ??= batch;
  }
  return next === null || oneWaits(state) ? null : next;
}

/** Nothing else would be charged with a crash. */
export function isAlone({ batches, inFlight, unwritten, marks }: WorkerState): boolean {
  if (inFlight > 0 || unwritten > 0 || marks.isRaising) return false;
  for (const { ready } of batches.values()) {
    const [item] = ready;
    if (item && !runsAlone(item) && isMarked(item)) return false;
  }
  return true;
}

/**
 * An item that is marked and not the next of its batch waits for another try. Any crash is charged
 * to it until it is answered.
 */
function oneWaits({ batches }: WorkerState): boolean {
  for (const { chunks, ready } of batches.values()) {
    for (const chunk of chunks.values()) {
      if (chunk.crashes < aloneFromCrashes || chunk.sentTo < chunk.first) continue;
      if (ready[0]?.chunk !== chunk) return true;
    }
  }
  return false;
}
