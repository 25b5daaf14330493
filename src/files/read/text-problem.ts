/** Why the bytes of a row cannot be kept exactly. Changing them silently would be worse than refusing them. */
export const nulProblem = 'holds a NUL character (U+0000), which cannot be stored';
/** The same of a NUL that stands in the file as a byte. */
export const nulByteProblem = `${nulProblem}; if the file is UTF-16, charset=utf-16le or charset=utf-16be reads it`;
export const surrogateProblem = 'holds half of a surrogate pair, which is not valid Unicode';

/** What is wrong with bytes that are not UTF-8. Lone surrogates of UTF-16 come as the three bytes that UTF-8 forbids for them. */
export function encodingProblem(bytes: Uint8Array): string {
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    if (((bytes[at + 1] ?? 0) & 0xe0) === 0xa0 && ((bytes[at + 2] ?? 0) & 0xc0) === 0x80) {
      return surrogateProblem;
    }
  }
  return 'is not valid UTF-8; save the file as UTF-8, or name its charset by charset=, such as charset=windows-1252';
}
