/** Words on bytes that are not JSON. */
import type { JsonScanner } from './json-scanner.ts';

/** Forms of Python and JavaScript that are not JSON, and what JSON has in their place. */
const foreignWords: ReadonlyMap<string, string> = new Map([
  ...['NaN', 'nan', 'NAN', 'None', 'undefined', 'NULL', 'Null', 'nil', 'NA', 'NaT'].map(
    (word) => [word, 'null'] as const,
  ),
  ...['Infinity', '-Infinity', 'inf', '-inf', 'Inf', '-Inf'].map((word) => [word, 'null'] as const),
  ...['True', 'TRUE'].map((word) => [word, 'true'] as const),
  ...['False', 'FALSE'].map((word) => [word, 'false'] as const),
]);
const longestWord = 10;

/**
 * Why what the scanner has just found invalid is not JSON, as the end of a sentence about its row.
 * `before` bytes stand before bytes[0] in what is counted in; `of` names that.
 */
export function notJson(
  scanner: JsonScanner,
  bytes: Uint8Array,
  end: number,
  { before, of }: { before: number; of: string },
): string {
  const { error, errorAt } = scanner;
  const { word, at } = wordAround(bytes, errorAt, end);
  const right = foreignWords.get(word);
  if (right) {
    return `has ${word} at byte ${before + at + 1}${of}: ${word} is not JSON; ${right} is JSON`;
  }
  return `is not JSON: byte ${before + errorAt + 1}${of} should be ${error}`;
}

/** Where a known word that is not JSON's ends, which begins at `at`; -1 without such a word. */
export function foreignWordEnd(bytes: Uint8Array, at: number, end: number): number {
  const { word, at: start } = wordAround(bytes, at, end);
  return start === at && foreignWords.has(word) ? at + word.length : -1;
}

/** True where the bytes end in the beginning, from `at` on, of one of those words. */
export function mayGoOn(bytes: Uint8Array, at: number, end: number): boolean {
  const { word } = wordAround(bytes, at, end);
  return at + word.length >= end && word.length < longestWord;
}

function wordAround(bytes: Uint8Array, at: number, end: number): { word: string; at: number } {
  let from = at;
  while (from > 0 && at - from < longestWord && isWordByte(bytes[from - 1])) from -= 1;
  let to = at;
  while (to < end && to - from <= longestWord && isWordByte(bytes[to])) to += 1;
  return { word: Buffer.from(bytes.subarray(from, to)).toString('latin1'), at: from };
}

function isWordByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return byte === 0x2d || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);
}
