/** A row per line. A blank line is skipped; a line break at the end begins none. */

import { isUtf8 } from 'node:buffer';
import { blankStarts, isBlank } from './blank.ts';
import type { BlockReader, Rest } from './block-reader.ts';
import { behindMarks, markStart } from './marks.ts';
import type { Rows } from './rows.ts';
import { encodingProblem, nulByteProblem } from './text-problem.ts';
import { rowTooLong } from './unreadable.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** `separator` ends a line break: a line feed, or a carriage return in files of old Macs. */
export function createTextReader(rows: Rows, separator: 0x0a | 0x0d): BlockReader {
  const { sink } = rows;
  let line = 0;

  return {
    read(bytes: Uint8Array, start: number, end: number, rest: Rest, valid: boolean): number {
      bytes[end] = separator;
      let from = start;
      while (from < end) {
        const begun = sink.beginContent();
        const target = sink.bytes;
        let at = begun;
        const begin = bytes[from] === markStart ? behindMarks(bytes, from, end) : from;
        let to = begin;
        let nul = false;
        for (let byte = bytes[to] as number; byte !== separator; byte = bytes[++to] as number) {
          if (byte === 0) nul = true;
          target[at++] = byte;
        }
        if (to === end && rest !== 'last') return from;
        if (separator === lineFeed && at > begun && bytes[to - 1] === carriageReturn) at -= 1;
        if (to - from > rows.limits.rowBytes) throw rowTooLong(rows.limits.rowBytes);
        if (!sink.fits(at, 0)) continue;
        line += 1;
        if (blankStarts[bytes[begin] as number] !== 0 && isBlank(bytes, begin, to)) {
          rows.skipBlank(line);
          from = to + 1;
          continue;
        }
        if (begin !== from) rows.warnOfMark(line);
        const problem = nul
          ? nulByteProblem
          : valid || isUtf8(bytes.subarray(from, to))
            ? null
            : encodingProblem(bytes.subarray(from, to));
        if (problem === null) rows.accept(line, at, null, 0, 0);
        else rows.reject(line, problem);
        from = to + 1;
      }
      return end;
    },
  };
}
