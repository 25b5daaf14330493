/** A JSON file: one array of rows, or one object with such an array in it. */
import type { BlockReader } from './block-reader.ts';
import type { FieldOptions } from './fields.ts';
import { createJsonArray, type JsonArray } from './json-array.ts';
import { JsonMembers, kindOf } from './json-members.ts';
import type { JsonRows } from './json-rows.ts';
import type { JsonScanner } from './json-scanner.ts';
import { createSkipper, type Skipper } from './json-skipper.ts';
import { behindSpaceAndMarks } from './marks.ts';
import type { Rows } from './rows.ts';
import { UnreadableFile } from './unreadable.ts';

export interface DocumentOptions extends FieldOptions {
  /** The member of the one object that holds the rows. */
  rowsField?: string | undefined;
}

type State = 'before' | 'array' | 'first key' | 'key' | 'skip' | 'behind value' | 'end';

export function createJsonReader(
  rows: Rows,
  json: JsonRows,
  scanner: JsonScanner,
  options: DocumentOptions,
): BlockReader {
  let state: State = 'before';
  /** Null while the file may be an array. */
  let members: JsonMembers | null = null;
  let array: JsonArray | null = null;
  let skipper: Skipper | null = null;
  /** Bytes of the file before the block. */
  let before = 0;

  /** True where what begins at the place reached has its end in the next block. */
  let isShort = false;

  function begin(bytes: Buffer, at: number, end: number): void {
    if (bytes[at] === 0x5b) {
      if (options.rowsField !== undefined) throw noObject();
      array = createJsonArray(rows, json, scanner, options);
      state = 'array';
    } else if (bytes[at] === 0x7b) {
      members = new JsonMembers(options.rowsField ?? null);
      lookAhead(bytes, at + 1, end);
      state = 'first key';
    } else throw neither();
  }

  /**
   * Goes over the members at hand, so that a file which cannot be read is refused for that, and not
   * for what its first array lacks.
   */
  function lookAhead(bytes: Buffer, start: number, end: number): void {
    const known = new JsonMembers(options.rowsField ?? null);
    let at = scanner.skipSpace(bytes, start);
    while (at < end && bytes[at] !== 0x7d) {
      const member = readMember(bytes, at, end);
      if (!member) return;
      known.add(member.name, member.kind);
      const over = createSkipper();
      at = scanner.skipSpace(bytes, over.skip(bytes, member.value, end));
      if (!over.done || (bytes[at] !== 0x2c && bytes[at] !== 0x7d)) return;
      if (bytes[at] === 0x2c) at = scanner.skipSpace(bytes, at + 1);
    }
    if (at < end && scanner.skipSpace(bytes, at + 1) >= end) known.finish([]);
  }

  /** A member's name, and what its value is by its beginning; null where that is not there yet. */
  function readMember(bytes: Buffer, at: number, end: number) {
    if (bytes[at] !== 0x22) throw broken(at, 'a key in quotes');
    const behind = scanner.string(bytes, at + 1, end);
    const colon = behind < 0 ? end : scanner.skipSpace(bytes, behind);
    if (colon >= end) return null;
    if (bytes[colon] !== 0x3a) throw broken(colon, 'a colon');
    const value = scanner.skipSpace(bytes, colon + 1);
    const inside = value < end ? scanner.skipSpace(bytes, value + 1) : end;
    if (inside >= end) return null;
    return { name: nameOf(bytes, at, behind), kind: kindOf(bytes[value], bytes[inside]), value };
  }

  function beginMember(bytes: Buffer, at: number, end: number, known: JsonMembers): number {
    const member = readMember(bytes, at, end);
    if (!member) {
      isShort = true;
      return at;
    }
    if (known.add(member.name, member.kind) === 'rows') {
      array = createJsonArray(rows, json, scanner, options);
      state = 'array';
      return member.value + 1;
    }
    skipper = createSkipper();
    state = 'skip';
    return member.value;
  }

  function broken(at: number, expected: string): UnreadableFile {
    return new UnreadableFile(
      'invalid',
      `The JSON file cannot be read on: byte ${before + at + 1} should be ${expected}`,
    );
  }

  /** Takes one step from bytes[at], which is not white space, and returns where it led to. */
  function step(bytes: Buffer, at: number, end: number, valid: boolean): number {
    const byte = bytes[at];
    switch (state) {
      case 'before':
        begin(bytes, at, end);
        return at + 1;
      case 'array': {
        const to = (array as JsonArray).read(bytes, at, end, valid, before);
        if (array?.ended) state = members ? 'behind value' : 'end';
        else isShort = true;
        return to;
      }
      case 'first key':
      case 'key':
        if (state === 'first key' && byte === 0x7d) {
          state = 'end';
          return at + 1;
        }
        return beginMember(bytes, at, end, members as JsonMembers);
      case 'skip': {
        const to = (skipper as Skipper).skip(bytes, at, end);
        if (skipper?.done) state = 'behind value';
        return to;
      }
      case 'behind value':
        if (byte !== 0x2c && byte !== 0x7d) throw broken(at, 'a comma or a closing brace');
        state = byte === 0x2c ? 'key' : 'end';
        return at + 1;
      case 'end':
        throw new UnreadableFile(
          'invalid',
          `Something follows the JSON ${members ? 'object' : 'array'} at byte ${before + at + 1}; a file with a value per line is JSONL`,
        );
    }
  }

  function finish(): void {
    if (state === 'before') throw new UnreadableFile('invalid', 'The file is empty');
    if (state !== 'end') {
      const isIn = array !== null && !array.ended;
      throw new UnreadableFile(
        'invalid',
        isIn
          ? `The JSON array has no end: the file stops in or behind row ${(array as JsonArray).row}`
          : 'The JSON object has no end: the file stops before it',
      );
    }
    const told = members?.finish(json.columns);
    if (told) rows.warn(told);
  }

  return {
    read(bytes, start, end, rest, valid) {
      bytes[end] = 0;
      let at = behindSpaceAndMarks(scanner, bytes, start, end);
      isShort = false;
      while (at < end && !isShort) {
        at = behindSpaceAndMarks(scanner, bytes, step(bytes, at, end, valid), end);
      }
      if (rest === 'last') {
        finish();
        return end;
      }
      before += at - start;
      return at;
    },
  };
}

function nameOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}

function noObject(): UnreadableFile {
  return new UnreadableFile(
    'invalid',
    'rowsField is for a JSON file that is one object; this one is an array, whose elements are the rows',
  );
}

function neither(): UnreadableFile {
  return new UnreadableFile(
    'invalid',
    'A JSON file is one array of strings or objects, or one object with such an array in it; a file with a value per line is JSONL',
  );
}
