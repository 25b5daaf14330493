import { expect, test } from 'vitest';
import type { HeldBatch } from '../../../src/engine/worker/held-batch.ts';
import { nextInQuarantine } from '../../../src/engine/worker/quarantine.ts';
import type { WorkerState } from '../../../src/engine/worker/state.ts';

/** A batch whose one item is to run alone. */
function lonely({ isMarked, isOpen = true }: { isMarked: boolean; isOpen?: boolean }): HeldBatch {
  const chunk = { first: 0, last: 0, sentTo: isMarked ? 0 : -1, crashes: 3 };
  const gate = { isOpen: () => isOpen, onOpen: () => undefined };
  return {
    abort: new AbortController(),
    chunks: new Map([[0, chunk]]),
    ready: [{ index: 0, chunk, isRepeat: false, gate: () => gate }],
  } as unknown as HeldBatch;
}

function stateOf(...batches: HeldBatch[]): WorkerState {
  return {
    batches: new Map(batches.map((batch, at) => [BigInt(at), batch])),
    gates: new Map(),
  } as unknown as WorkerState;
}

test('an item that is marked runs before another that is to run alone, whose crash would be charged to it', () => {
  const [unmarked, marked] = [lonely({ isMarked: false }), lonely({ isMarked: true })];

  expect(nextInQuarantine(stateOf(unmarked, marked))).toBe(marked);
  expect(nextInQuarantine(stateOf(marked, unmarked))).toBe(marked);
});

test('nothing runs alone while the model of a marked item takes no call', () => {
  const closed = lonely({ isMarked: true, isOpen: false });

  expect(nextInQuarantine(stateOf(lonely({ isMarked: false }), closed))).toBeNull();
});
