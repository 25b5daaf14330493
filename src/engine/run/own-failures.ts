/** Tells an item that fails from a provider that is down. */
import type { Gate } from '../../model/limits/permit.ts';
import { maxCountedTries } from '../../model/retry.ts';

/** The time an item is tried for while no other item shows whether the provider is down. */
const lonelyFailureMs = 300_000;

/** When an item failed first, and how many calls its provider had answered by then. */
export interface FirstFailure {
  at: number;
  answered: number;
}

export function firstFailureAt(gate: Gate): FirstFailure {
  return { at: performance.now(), answered: gate.answered };
}

/**
 * True where it is the item that fails, and not the provider: it failed often enough, while the
 * provider answered others. Where nobody has asked since its first failure, at the end of a batch,
 * that may also be an outage, which is waited for. `answeredAtStart`: calls that the provider had
 * answered when the item started.
 */
export function isItemsOwn(
  gate: Gate,
  item: { failures: number; firstFailure: FirstFailure | null; answeredAtStart: number },
): boolean {
  const { failures, firstFailure, answeredAtStart } = item;
  if (failures < maxCountedTries || !firstFailure) return false;
  const { answered } = gate;
  return (
    answered > firstFailure.answered ||
    (answered > answeredAtStart && performance.now() - firstFailure.at >= lonelyFailureMs)
  );
}
