/** Byte order marks: at the start of a file, and where several were put together. */
import type { JsonScanner } from './json-scanner.ts';
import { noBytes, type Transcoder } from './transcoder.ts';

export const markStart = 0xef;
const mark = [markStart, 0xbb, 0xbf] as const;

/** Where the byte order marks at `at` in UTF-8 end; `at` where there are none. */
export function behindMarks(bytes: Uint8Array, at: number, end: number): number {
  let behind = at;
  while (
    behind + 3 <= end &&
    bytes[behind] === markStart &&
    bytes[behind + 1] === mark[1] &&
    bytes[behind + 2] === mark[2]
  ) {
    behind += 3;
  }
  return behind;
}

/** Where white space that may have byte order marks in it ends. */
export function behindSpaceAndMarks(
  scanner: JsonScanner,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let at = scanner.skipSpace(bytes, start);
  for (let to = at; bytes[at] === markStart; at = to) {
    to = scanner.skipSpace(bytes, behindMarks(bytes, at, end));
    if (to === at) return at;
  }
  return at;
}

/** Takes all byte order marks off the start of what a transcoder makes. */
export function withoutMarks(inner: Transcoder): Transcoder {
  let hasBegun = false;
  /** The first bytes of what may be a mark. */
  let held = noBytes;

  function begin(text: Buffer, isLast: boolean): Buffer {
    const bytes = held.length > 0 ? Buffer.concat([held, text]) : text;
    const rest = bytes.subarray(behindMarks(bytes, 0, bytes.length));
    const mayBeMark =
      rest.length < 3 && mark.slice(0, rest.length).every((b, at) => b === rest[at]);
    if (mayBeMark && !isLast) {
      held = Buffer.from(rest);
      return noBytes;
    }
    hasBegun = true;
    return rest;
  }

  return {
    get encoding() {
      return inner.encoding;
    },
    push(chunk) {
      const text = inner.push(chunk);
      return hasBegun ? text : begin(text, false);
    },
    end() {
      const text = inner.end();
      return hasBegun ? text : begin(text, true);
    },
  };
}
