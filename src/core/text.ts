/** Text that Postgres and UTF-8 can hold: without a NUL, and without half of a surrogate pair. */

export const nulProblem = 'must not contain a NUL character (U+0000)';
export const surrogateProblem = 'must not contain half of a surrogate pair';

// Under the u flag a surrogate only matches where it has no partner.
const unstorable = /[\0\p{Surrogate}]/gu;

/** The fault of a text that cannot be stored exactly; null where it can. */
export function textProblem(text: string): string | null {
  if (text.includes('\0')) return nulProblem;
  return text.isWellFormed() ? null : surrogateProblem;
}

/** The text with U+FFFD for each NUL and each half of a surrogate pair. */
export function replaceUnstorable(text: string): string {
  // The test costs nothing, and every answer of a model passes here.
  return textProblem(text) === null ? text : text.replace(unstorable, '\uFFFD');
}
