/** Why the bytes of a row cannot be stored exactly. */
import { nulProblem, surrogateProblem } from '../../core/text.ts';

/** For a NUL that is a byte of the file. */
export const nulByteProblem = `${nulProblem}; if the file is UTF-16, charset=utf-16le or charset=utf-16be reads it`;

/** The fault of bytes that are not UTF-8, which also forbids halves of surrogate pairs. */
export function encodingProblem(bytes: Uint8Array): string {
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    if (((bytes[at + 1] ?? 0) & 0xe0) === 0xa0 && ((bytes[at + 2] ?? 0) & 0xc0) === 0x80) {
      return surrogateProblem;
    }
  }
  return 'is not valid UTF-8; save the file as UTF-8, or name its charset by charset=, such as charset=windows-1252';
}
