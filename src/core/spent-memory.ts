/**
 * Memory of texts that have passed through. Node by itself lets a heap of 90 MB grow to 390 MB
 * before it gives any back: texts of a megabyte, and whatever waited for an answer, are never young
 * garbage.
 */
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Characters or bytes between two looks at the heap, which take some 20 microseconds each. */
const lookAfter = 1_000_000;
/** Most bytes that gather before memory is given back. */
const mostGathered = 48_000_000;

export interface SpentMemory {
  /**
   * Counts text that passes through. Stops the process for some 50 ms to give memory back, but only
   * once 48 MB have gathered.
   */
  add(characters: number): void;
}

export function createSpentMemory(): SpentMemory {
  let passed = 0;
  // From the beginning: at the first look much may have gathered already.
  let leastBytes = usedBytes();
  return {
    add(characters) {
      passed += characters;
      if (passed < lookAfter) return;
      passed = 0;
      const bytes = usedBytes();
      leastBytes = Math.min(leastBytes, bytes);
      if (bytes - leastBytes < mostGathered) return;
      collectGarbage();
      leastBytes = usedBytes();
    },
  };
}

/** Without the young garbage, which is cheap and comes and goes. */
function usedBytes(): number {
  let bytes = getHeapStatistics().external_memory;
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (space_name !== 'new_space') bytes += space_used_size;
  }
  return bytes;
}

function collectGarbage(): void {
  collector ??= findCollector();
  collector();
}

let collector: (() => void) | null = null;

/** Nobody starts Winnow with the flag, and it holds for contexts that are made after it is set. */
function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return (runInNewContext('globalThis.gc') as (() => void) | undefined) ?? (() => undefined);
}
