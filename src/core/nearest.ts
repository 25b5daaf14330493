/** The name that somebody who wrote another one most likely meant. */

/** Longer words are no slips of the pen, and would take long to compare. */
const maxLength = 60;

/**
 * The one of `names` that differs least from `word`: by no more than a third of its letters, each
 * left out, added, changed or swapped with the next. Case, blanks, hyphens and underscores count
 * for nothing. Null where none is near.
 */
export function nearest(word: string, names: Iterable<string>): string | null {
  const wanted = letters(word);
  if (wanted === '' || wanted.length > maxLength) return null;
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const other = letters(name);
    if (Math.abs(other.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, other);
    if (distance >= bestDistance) continue;
    best = name;
    bestDistance = distance;
  }
  return best;
}

function letters(word: string): string {
  return word.toLowerCase().replace(/[\s_-]+/g, '');
}

/**
 * Number of letters that were added, left out, changed, or swapped with the next.
 * https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(at(above, j) + 1, at(row, j - 1) + 1, at(above, j - 1) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(before, j - 2) + 1);
      }
      row.push(cost);
    }
    before = above;
    above = row;
  }
  return at(above, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
