/** Indexes, in ascending order, as the text of an int4multirange: `{[0,3),[7,8)}`. */
export function toItemSet(indexes: readonly number[]): string {
  const runs: string[] = [];
  for (let at = 0; at < indexes.length; ) {
    const first = indexes[at] as number;
    let end = first;
    for (; indexes[at] === end; at += 1) end += 1;
    runs.push(`[${first},${end})`);
  }
  return `{${runs.join()}}`;
}
