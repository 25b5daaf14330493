/** A JSON value per line. Lines end at a line feed alone (U+2028 is data), a carriage return before it is white space; a blank line is no row. */

import { isUtf8 } from 'node:buffer';
import type { BlockReader, Rest } from './block-reader.ts';
import type { FieldOptions } from './fields.ts';
import type { JsonRows } from './json-rows.ts';
import { INCOMPLETE, type JsonScanner } from './json-scanner.ts';
import type { Rows } from './rows.ts';
import { encodingProblem } from './text-problem.ts';

const LINE_FEED = 0x0a;
/** Rows that are looked at before content and custom id are settled. */
export const sampleRows = 100;

export function createJsonLinesReader(
  rows: Rows,
  json: JsonRows,
  scanner: JsonScanner,
  options: FieldOptions,
): BlockReader {
  let line = 0;

  /** False when there is no whole line yet. */
  function settle(bytes: Uint8Array, start: number, end: number, rest: Rest): boolean {
    const sample: unknown[] = [];
    let from = start;
    while (from < end && sample.length < sampleRows) {
      const found = bytes.indexOf(LINE_FEED, from);
      if ((found < 0 || found >= end) && rest !== 'last') break;
      const to = found < 0 || found > end ? end : found;
      const value = parse(bytes, from, to);
      if (value !== undefined) sample.push(value);
      from = to + 1;
    }
    if (sample.length === 0 && from === start && rest === 'more') return false;
    // Without a single row that could be read there is nothing to choose from, nor a column that could be missing.
    json.choose(sample, sample.length === 0 ? {} : options);
    return true;
  }

  return {
    read(bytes, start, end, rest, valid) {
      if (json.fields === null && !settle(bytes, start, end, rest)) return start;
      bytes[end] = 0;
      let from = start;
      while (from < end) {
        const begin = scanner.skipSpace(bytes, from);
        if (begin >= end) return rest === 'last' ? end : from;
        if (bytes[begin] === LINE_FEED) {
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
        const isWhole = to >= 0 && (behind >= end ? rest === 'last' : bytes[behind] === LINE_FEED);
        if (isWhole) {
          if (!json.take(line + 1, bytes, begin, to, valid)) continue;
          line += 1;
          from = behind + 1;
          continue;
        }
        // Not JSON, or the block ends in it: which of the two, the end of the line tells.
        const feed = to >= 0 && behind >= end ? -1 : bytes.indexOf(LINE_FEED, begin);
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
  if (to === INCOMPLETE) return 'is not JSON: the line ends too early';
  if (to >= 0) return `is not JSON: something follows the value at byte ${behind - from + 1}`;
  return `is not JSON: byte ${scanner.errorAt - from + 1} should be ${scanner.error}`;
}

/** Undefined when it is not JSON. */
function parse(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
  } catch {
    return undefined;
  }
}
