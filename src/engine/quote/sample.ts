/** Which rows of many are counted: the same ones for the same file, in an order without a rule. */
import { createHash } from 'node:crypto';

/** Up to `size` of the indexes 0 to total − 1, each once, by a generator seeded with `seed`. */
export function sampleIndexes(seed: string, total: number, size: number): number[] {
  const next = createGenerator(seed);
  const chosen = new Set<number>();
  if (total > size * 2) {
    while (chosen.size < size) chosen.add(Math.floor(next() * total));
    return [...chosen];
  }
  const all = Array.from({ length: total }, (_, index) => index);
  for (let at = 0; at < Math.min(size, total); at += 1) {
    const other = at + Math.floor(next() * (total - at));
    [all[at], all[other]] = [all[other] as number, all[at] as number];
  }
  return all.slice(0, size);
}

/** Numbers from 0 up to 1 (mulberry32). */
function createGenerator(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
