/** The elements of one JSON array, read as they come. An element that is not JSON is rejected as long as its end can be told. */
import type { BlockReader, Rest } from './block-reader.ts';
import type { FieldOptions } from './fields.ts';
import { sampleRows } from './json-lines.ts';
import type { JsonRows } from './json-rows.ts';
import { INCOMPLETE, INVALID, type JsonScanner } from './json-scanner.ts';
import type { Rows } from './rows.ts';
import { UnreadableFile } from './unreadable.ts';

type State = 'before' | 'first' | 'element' | 'after' | 'end';

export function createJsonArrayReader(
  rows: Rows,
  json: JsonRows,
  scanner: JsonScanner,
  options: FieldOptions,
): BlockReader {
  let state: State = 'before';
  let row = 0;
  /** Bytes of the file before the block. */
  let offset = 0;

  /** The first elements that are whole, parsed; null when none is yet. */
  function settle(bytes: Uint8Array, start: number, end: number, rest: Rest): boolean {
    const sample: unknown[] = [];
    let from = start;
    while (sample.length < sampleRows) {
      const begin = scanner.skipSpace(bytes, from);
      const to = scanner.value(bytes, begin, end);
      if (to < 0 || to >= end) break;
      try {
        sample.push(
          JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + begin, to - begin).toString()),
        );
      } catch {
        // Rejected when it is read.
      }
      const behind = scanner.skipSpace(bytes, to);
      if (bytes[behind] !== 0x2c) break;
      from = behind + 1;
    }
    scanner.flaw = null;
    if (sample.length === 0 && rest === 'more') return false;
    json.choose(sample, sample.length === 0 ? {} : options);
    return true;
  }

  function readElement(bytes: Buffer, begin: number, end: number, valid: boolean): number {
    for (;;) {
      scanner.flaw = null;
      const isObject = bytes[begin] === 0x7b;
      let to = isObject ? scanner.object(bytes, begin, end) : scanner.value(bytes, begin, end);
      if (to === INVALID) {
        const problem = `is not JSON: byte ${offset + scanner.errorAt + 1} of the file should be ${scanner.error}`;
        const isNested = isObject || bytes[begin] === 0x5b;
        to = isNested ? scanner.skipNested(bytes, begin, end) : INVALID;
        if (to === INVALID) throw broken(problem);
        // What seems to be the end need not be: a comma or the array's own end must follow.
        const behind = to < 0 ? end : scanner.skipSpace(bytes, to);
        if (to < 0 || behind >= end) return INCOMPLETE;
        if (bytes[behind] !== 0x2c && bytes[behind] !== 0x5d) throw broken(problem);
        row += 1;
        rows.reject(row, problem);
        return to;
      }
      // A number could go on in the next block.
      if (to < 0 || to >= end) return INCOMPLETE;
      if (json.take(row + 1, bytes, begin, to, valid)) {
        row += 1;
        return to;
      }
    }
  }

  function broken(problem: string): UnreadableFile {
    return new UnreadableFile(
      'invalid',
      `The JSON array cannot be read on: row ${row + 1} ${problem}`,
    );
  }

  return {
    read(bytes, start, end, rest, valid) {
      bytes[end] = 0;
      let at = scanner.skipSpace(bytes, start);
      while (at < end) {
        const byte = bytes[at];
        if (state === 'before') {
          if (byte !== 0x5b) throw notAnArray();
          state = 'first';
          at += 1;
        } else if (state === 'first' && byte === 0x5d) {
          state = 'end';
          at += 1;
        } else if (state === 'first' || state === 'element') {
          if (json.fields === null && !settle(bytes, at, end, rest)) break;
          const to = readElement(bytes, at, end, valid);
          if (to < 0) break;
          state = 'after';
          at = to;
        } else if (state === 'after') {
          if (byte !== 0x2c && byte !== 0x5d) {
            throw broken(
              `is not JSON: byte ${offset + at + 1} of the file should be a comma or the end of the array`,
            );
          }
          state = byte === 0x2c ? 'element' : 'end';
          at += 1;
        } else {
          throw new UnreadableFile(
            'invalid',
            `Something follows the JSON array at byte ${offset + at + 1}; a file with a value per line is JSONL`,
          );
        }
        at = scanner.skipSpace(bytes, at);
      }
      if (rest === 'last') {
        if (state !== 'end') {
          throw new UnreadableFile(
            'invalid',
            state === 'before'
              ? 'The file is empty'
              : `The JSON array has no end: the file stops in or behind row ${row + (state === 'after' ? 0 : 1)}`,
          );
        }
        return end;
      }
      offset += at - start;
      return at;
    },
  };
}

function notAnArray(): UnreadableFile {
  return new UnreadableFile(
    'invalid',
    'A JSON file is one array of strings or objects; a file with a value per line is JSONL',
  );
}
