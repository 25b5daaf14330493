/** Goes over a JSON value and keeps nothing. It need not be JSON if its end can be told. */
import { backslashByte, quoteByte } from './bytes.ts';

export interface Skipper {
  readonly done: boolean;
  /** Goes on at `at`, and returns where the value ends, or `end`. */
  skip(bytes: Uint8Array, at: number, end: number): number;
}

export function createSkipper(): Skipper {
  let done = false;
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  let isScalar = false;

  /** True where the value ends with this byte. */
  function endsWith(byte: number): boolean {
    if (isInString) {
      if (isEscaped) isEscaped = false;
      else if (byte === backslashByte) isEscaped = true;
      else if (byte === quoteByte) isInString = false;
      return !isInString && depth === 0;
    }
    if (byte === quoteByte) isInString = true;
    else if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (depth === 0) isScalar = true;
    return depth === 0 && !isScalar && !isInString;
  }

  return {
    get done() {
      return done;
    },
    skip(bytes, start, end) {
      for (let at = start; at < end; at += 1) {
        const byte = bytes[at] as number;
        // A number or a word has no end of its own.
        if (isScalar && (byte === 0x2c || byte === 0x7d || byte <= 0x20)) {
          done = true;
          return at;
        }
        if (!isScalar && endsWith(byte)) {
          done = true;
          return at + 1;
        }
      }
      return end;
    },
  };
}
