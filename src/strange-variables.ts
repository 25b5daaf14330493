/** Variables that look like ours and are none: a misspelt one would do nothing, without a word. */

/**
 * Set by Kubernetes for every service, whatever its name: X_SERVICE_HOST, X_PORT_80_TCP_ADDR,
 * X_PORT=tcp://…
 */
const ofKubernetes = /_(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)=|_PORT=(tcp|udp):/;
const ownPrefix = /^WINNOW_/;
/** More than this would be an attack, not a name. */
const maxNameLength = 100;
/** A longer name has room for two slips, a short one would be near to everything. */
const longNameLength = 8;
/** Of a name that was left unfinished. */
const shortestBeginning = 4;

/**
 * A sentence for each variable whose name is near one of `known`, or begins as some do; never its
 * value. `named` are variables that PROVIDERS names.
 */
export function tellStrangeVariables(
  env: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
  named: ReadonlySet<string>,
): string[] {
  const sentences: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '' || name.length > maxNameLength) continue;
    if (known.includes(name) || named.has(name) || ofKubernetes.test(`${name}=${value}`)) continue;
    const hint = hintFor(name, known);
    if (hint) sentences.push(`${name} is no variable of Winnow and does nothing; ${hint}`);
  }
  return sentences;
}

/** The known name that somebody may have meant by another; null where none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  let best: { name: string; distance: number } | null = null;
  for (const candidate of known) {
    const distance = distanceBetween(name.toLowerCase(), candidate.toLowerCase());
    if (best === null || distance < best.distance) best = { name: candidate, distance };
  }
  const allowed = name.length < longNameLength ? 1 : 2;
  if (best !== null && best.distance <= allowed) return best.name;
  const begun = known.filter((one) => one.toLowerCase().startsWith(name.toLowerCase()));
  return name.length >= shortestBeginning && begun.length === 1 ? (begun[0] ?? null) : null;
}

function hintFor(name: string, known: readonly string[]): string | null {
  const bare = name.replace(ownPrefix, '');
  const near = nearest(bare, known);
  if (near !== null) return `did you mean ${near}?`;
  if (bare !== name) return 'the variables have no such prefix';
  const word = firstWord(name.toUpperCase());
  const family = known.filter((one) => one.includes('_') && firstWord(one) === word);
  if (family.length === 0) return null;
  const within = family.filter((one) => hasWordsOf(one, name.toUpperCase()));
  return within.length === 1
    ? `did you mean ${within[0]}?`
    : `those that begin so are ${family.join(', ')}`;
}

function firstWord(name: string): string {
  return name.split('_')[0] ?? '';
}

/** All words of the name are in the known one: OPENAI_KEY in OPENAI_API_KEY. */
function hasWordsOf(known: string, name: string): boolean {
  const words = known.split('_');
  return name.split('_').every((word) => words.includes(word));
}

/**
 * How many letters were added, left out, changed, or swapped with the next.
 * https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance
 */
function distanceBetween(a: string, b: string): number {
  const rows: number[][] = [];
  const at = (row: number, column: number) => rows[row]?.[column] ?? 0;
  for (let row = 0; row <= a.length; row += 1) {
    rows.push([row]);
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      let best =
        row === 0
          ? column
          : Math.min(
              at(row - 1, column) + 1,
              at(row, column - 1) + 1,
              at(row - 1, column - 1) + (isSame ? 0 : 1),
            );
      const isSwap = row > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap && column > 1) best = Math.min(best, at(row - 2, column - 2) + 1);
      rows[row]?.push(best);
    }
  }
  return at(a.length, b.length);
}
