/** Blank text: white space of any kind, as `String.prototype.trim` has it. */

/**
 * Bytes that white space begins with: ASCII's own, and the first bytes of the rest of it in UTF-8.
 */
export const blankStarts = new Uint8Array(256);
for (const byte of [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xc2, 0xe1, 0xe2, 0xe3, 0xef]) {
  blankStarts[byte] = 1;
}

/** Bytes of the white space at `at` in UTF-8; 0 without any. */
function blankLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (blankStarts[first] === 0) return 0;
  if (first < 0x80) return 1;
  const second = bytes[at + 1] as number;
  if (first === 0xc2) return second === 0xa0 ? 2 : 0;
  const character = (first << 16) | (second << 8) | (bytes[at + 2] as number);
  return isLongBlank(character) ? 3 : 0;
}

/** True when the UTF-8 in bytes[start, end) is white space. Reads up to any other byte. */
export function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const length = blankLength(bytes, at);
    if (length === 0) return false;
    at += length;
  }
  return true;
}

/** True when a CSV row, bytes[start, end), has white space and bytes of `blankRow` alone. */
export function isBlankRow(
  bytes: Uint8Array,
  start: number,
  end: number,
  blankRow: Uint8Array,
): boolean {
  let at = start;
  while (at < end && blankRow[bytes[at] as number] !== 0) at += blankLength(bytes, at) || 1;
  return at >= end;
}

/** Where the first line begins that is not blank or has no end yet, and the number before it. */
export function behindBlankLines(
  bytes: Uint8Array,
  start: number,
  end: number,
  isLast: boolean,
): { next: number; lines: number } {
  let next = start;
  let lines = 0;
  for (let at = start; at < end; ) {
    const length = blankLength(bytes, at);
    if (length === 0) return { next, lines };
    const isReturn = bytes[at] === 0x0d;
    const isFeed = bytes[at] === 0x0a;
    at += length;
    if (isReturn && at >= end && !isLast) break;
    if (isReturn && at < end && bytes[at] === 0x0a) at += 1;
    if (!isReturn && !isFeed) continue;
    next = at;
    lines += 1;
  }
  return { next: isLast ? end : next, lines };
}

/**
 * Three bytes of UTF-8 in one number: U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F,
 * U+3000 and U+FEFF.
 */
function isLongBlank(character: number): boolean {
  return (
    (character >= 0xe28080 && character <= 0xe2808a) ||
    character === 0xe19a80 ||
    character === 0xe280a8 ||
    character === 0xe280a9 ||
    character === 0xe280af ||
    character === 0xe2819f ||
    character === 0xe38080 ||
    character === 0xefbbbf
  );
}
