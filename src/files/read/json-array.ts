/** The elements of one JSON array, one by one. A bad one is rejected if its end can be told. */
import type { FieldOptions } from './fields.ts';
import type { JsonRows } from './json-rows.ts';
import { canBeRow, parseBytes, sampleRows } from './json-sample.ts';
import type { JsonScanner } from './json-scanner.ts';
import { incomplete, invalid } from './json-value-scanner.ts';
import { behindSpaceAndMarks } from './marks.ts';
import { foreignWordEnd, mayGoOn, notJson } from './not-json.ts';
import type { Rows } from './rows.ts';
import { UnreadableFile } from './unreadable.ts';

export interface JsonArray {
  /** The row that was read last, or is being read. */
  readonly row: number;
  /** True behind the bracket that closes the array. */
  readonly ended: boolean;
  /**
   * Reads the whole elements of bytes[start, end), and returns where the first unread one begins,
   * or the end of the array. `before` bytes of the file stand before bytes[0].
   */
  read(bytes: Buffer, start: number, end: number, valid: boolean, before: number): number;
}

/** The array whose bracket has just been read. */
export function createJsonArray(
  rows: Rows,
  json: JsonRows,
  scanner: JsonScanner,
  options: FieldOptions,
): JsonArray {
  let state: 'first' | 'element' | 'after' | 'end' = 'first';
  let row = 0;
  let before = 0;

  /** Chooses the fields from the good elements at hand, of which the first begins at `start`. */
  function chooseFieldsFrom(bytes: Uint8Array, start: number, end: number, valid: boolean): void {
    const sample: unknown[] = [];
    let from = start;
    while (sample.length < sampleRows) {
      const begin = scanner.skipSpace(bytes, from);
      scanner.flaw = null;
      let to = scanner.value(bytes, begin, end);
      if (to >= 0 && to < end && canBeRow(scanner, bytes, begin, to, valid)) {
        sample.push(parseBytes(bytes, begin, to));
      } else if (to === invalid) to = endOfInvalid(bytes, begin, end);
      if (to < 0 || to >= end) break;
      const behind = scanner.skipSpace(bytes, to);
      if (bytes[behind] !== 0x2c) break;
      from = behind + 1;
    }
    json.choose(sample, options);
  }

  function endOfInvalid(bytes: Uint8Array, begin: number, end: number): number {
    const isNested = bytes[begin] === 0x7b || bytes[begin] === 0x5b;
    return isNested ? scanner.skipNested(bytes, begin, end) : foreignWordEnd(bytes, begin, end);
  }

  function readElement(bytes: Buffer, begin: number, end: number, valid: boolean): number {
    for (;;) {
      scanner.flaw = null;
      const isObject = bytes[begin] === 0x7b;
      const to = isObject ? scanner.object(bytes, begin, end) : scanner.value(bytes, begin, end);
      if (to === invalid) return rejectInvalid(bytes, begin, end);
      // A number could go on in the next block.
      if (to < 0 || to >= end) return incomplete;
      if (json.fields === null && canBeRow(scanner, bytes, begin, to, valid)) {
        chooseFieldsFrom(bytes, begin, end, valid);
      } else if (json.take(row + 1, bytes, begin, to, valid)) {
        row += 1;
        return to;
      }
    }
  }

  function rejectInvalid(bytes: Buffer, begin: number, end: number): number {
    const problem = notJson(scanner, bytes, end, { before, of: ' of the file' });
    const isNested = bytes[begin] === 0x7b || bytes[begin] === 0x5b;
    const to = endOfInvalid(bytes, begin, end);
    // A word may go on in the next block.
    if (!isNested && to < 0 && !mayGoOn(bytes, begin, end)) throw broken(problem);
    // What seems to be the end need not be: a comma or the array's own end must follow.
    const behind = to < 0 ? end : scanner.skipSpace(bytes, to);
    if (to < 0 || behind >= end) return incomplete;
    if (bytes[behind] !== 0x2c && bytes[behind] !== 0x5d) throw broken(problem);
    row += 1;
    rows.reject(row, problem);
    return to;
  }

  function broken(problem: string): UnreadableFile {
    return new UnreadableFile(
      'invalid',
      `The JSON array cannot be read on: row ${row + 1} ${problem}`,
    );
  }

  return {
    get row() {
      return state === 'after' ? row : row + 1;
    },
    get ended() {
      return state === 'end';
    },
    read(bytes, start, end, valid, bytesBefore) {
      before = bytesBefore;
      let at = behindSpaceAndMarks(scanner, bytes, start, end);
      while (at < end && state !== 'end') {
        const byte = bytes[at];
        if (state === 'first' && byte === 0x5d) {
          state = 'end';
          return at + 1;
        }
        if (state === 'after') {
          if (byte !== 0x2c && byte !== 0x5d) {
            throw broken(
              `is not JSON: byte ${before + at + 1} of the file should be a comma or the end of the array`,
            );
          }
          state = byte === 0x2c ? 'element' : 'end';
          at += 1;
          if (byte === 0x5d) return at;
        } else {
          const to = readElement(bytes, at, end, valid);
          if (to < 0) break;
          state = 'after';
          at = to;
        }
        at = behindSpaceAndMarks(scanner, bytes, at, end);
      }
      return at;
    },
  };
}
