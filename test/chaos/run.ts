/**
 * What one run of the chaos tests is: how long, by which seed; and the line of figures that each
 * test prints.
 */
const { CHAOS_SECONDS, CHAOS_SEED } = process.env;

/** Any CHAOS_SECONDS asks for the short form, all files of which take less than three minutes. */
export const isShort = CHAOS_SECONDS !== undefined;
/** Where a test goes on for a while, for so long. */
export const seconds = Number(CHAOS_SECONDS ?? 60);
/** Everything that is left to chance is drawn from it. */
export const seed = Number(CHAOS_SEED ?? Math.floor(Math.random() * 1e9));

/** What the short form takes, or the long one. */
export function either<T>(short: T, long: T): T {
  return isShort ? short : long;
}

/** One line: what was measured, with the seed. */
export function printFigures(what: string, figures: Record<string, string | number>): void {
  const parts = Object.entries({ ...figures, seed }).map(([name, value]) => {
    const shown = typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : value;
    return `${name} ${shown}`;
  });
  console.log(`chaos: ${what}: ${parts.join(', ')}`);
}
