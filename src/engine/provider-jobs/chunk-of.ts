/** The first index of the chunk that has an index, of chunks in order; null before the first. */
export function chunkOf(firsts: readonly number[], index: number): number | null {
  let low = 0;
  let high = firsts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((firsts[middle] as number) <= index) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? null : (firsts[low - 1] as number);
}
