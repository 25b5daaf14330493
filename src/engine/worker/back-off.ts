/** Items that wait for another try. */
import type { HeldBatch } from './held-batch.ts';
import type { HeldItem } from './held-item.ts';
import { returnReady } from './ready-items.ts';
import type { WorkerState } from './state.ts';

export function backOff(
  state: WorkerState,
  { batch, item }: { batch: HeldBatch; item: HeldItem },
  delayMs: number,
): void {
  const at = state.clock.now() + delayMs;
  batch.waiting += 1;
  const { backOffs } = state;
  let [from, to] = [0, backOffs.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((backOffs[middle]?.at ?? 0) <= at) from = middle + 1;
    else to = middle;
  }
  backOffs.splice(from, 0, { at, batch, item });
}

/** Puts items whose back-off is over back in their batches. */
export function endBackOffs(state: WorkerState, now: number): void {
  const { backOffs } = state;
  for (let [next] = backOffs; next && next.at <= now; [next] = backOffs) {
    backOffs.shift();
    const { batch, item } = next;
    if (batch.abort.signal.aborted) continue;
    batch.waiting -= 1;
    returnReady(state, batch, item);
  }
}
