/**
 * A JSON value per line. Lines end at a line feed alone (U+2028 is data), a carriage return before
 * it is white space; a blank line is not a row.
 */

import { isUtf8 } from 'node:buffer';
import type { BlockReader } from './block-reader.ts';
import { lineFeedByte } from './bytes.ts';
import type { FieldOptions } from './fields.ts';
import type { JsonRows } from './json-rows.ts';
import { canBeRow, parseBytes, sampleRows } from './json-sample.ts';
import type { JsonScanner } from './json-scanner.ts';
import { incomplete } from './json-value-scanner.ts';
import { behindSpaceAndMarks } from './marks.ts';
import { notJson } from './not-json.ts';
import type { Rows } from './rows.ts';
import { encodingProblem } from './text-problem.ts';

export function createJsonLinesReader(
  rows: Rows,
  json: JsonRows,
  scanner: JsonScanner,
  options: FieldOptions,
): BlockReader {
  let line = 0;

  /** Chooses the fields from the good lines at hand, of which the first begins at `start`. */
  function chooseFieldsFrom(bytes: Uint8Array, start: number, end: number, valid: boolean): void {
    const sample: unknown[] = [];
    let from = start;
    while (from < end && sample.length < sampleRows) {
      const found = bytes.indexOf(lineFeedByte, from);
      // The last line of a block may end later; one that is whole already is a row.
      const stop = found < 0 || found > end ? end : found;
      const begin = behindSpaceAndMarks(scanner, bytes, from, stop);
      scanner.flaw = null;
      const to = begin < stop ? scanner.value(bytes, begin, stop) : incomplete;
      const isAlone = to >= 0 && scanner.skipSpace(bytes, to) >= stop;
      if (isAlone && canBeRow(scanner, bytes, begin, to, valid)) {
        sample.push(parseBytes(bytes, begin, to));
      }
      from = stop + 1;
    }
    json.choose(sample, options);
  }

  return {
    read(bytes, start, end, rest, valid) {
      bytes[end] = 0;
      let from = start;
      while (from < end) {
        const begin = behindSpaceAndMarks(scanner, bytes, from, end);
        if (begin >= end) return rest === 'last' ? end : from;
        if (bytes[begin] === lineFeedByte) {
          line += 1;
          from = begin + 1;
          continue;
        }
        scanner.flaw = null;
        const to =
          bytes[begin] === 0x7b
            ? scanner.object(bytes, begin, end)
            : scanner.value(bytes, begin, end);
        const behind = to < 0 ? to : scanner.skipSpace(bytes, to);
        const isWhole =
          to >= 0 && (behind >= end ? rest === 'last' : bytes[behind] === lineFeedByte);
        if (isWhole) {
          if (json.fields === null && canBeRow(scanner, bytes, begin, to, valid)) {
            chooseFieldsFrom(bytes, from, end, valid);
            continue;
          }
          if (!json.take(line + 1, bytes, begin, to, valid)) continue;
          line += 1;
          if (begin > from && begin > scanner.skipSpace(bytes, from)) rows.warnOfMark(line);
          from = behind + 1;
          continue;
        }
        // Not JSON, or the block ends in it: which of the two, the end of the line tells.
        const feed = to >= 0 && behind >= end ? -1 : bytes.indexOf(lineFeedByte, begin);
        if ((feed < 0 || feed >= end) && rest !== 'last') return from;
        const stop = feed < 0 || feed > end ? end : feed;
        line += 1;
        rows.reject(line, lineProblem(scanner, bytes, { from, begin, stop, behind, to, valid }));
        from = stop + 1;
      }
      return end;
    },
  };
}

function lineProblem(
  scanner: JsonScanner,
  bytes: Uint8Array,
  at: { from: number; begin: number; stop: number; behind: number; to: number; valid: boolean },
): string {
  const { from, begin, stop, behind, to, valid } = at;
  const content = bytes.subarray(begin, stop);
  if (!valid && !isUtf8(content)) return encodingProblem(content);
  if (to === incomplete) return 'is not JSON: the line ends too early';
  if (to >= 0) return `is not JSON: something follows the value at byte ${behind - from + 1}`;
  return notJson(scanner, bytes, stop, { before: -from, of: '' });
}
