/**
 * Checks JSON text (RFC 8259) byte by byte where it lies: no string is made, no number changed.
 * What JSON.parse would do to a million rows costs more time than Postgres takes to store them.
 */

import { maxNumberLength, numberTooLong } from '../../core/json.ts';
import { nulProblem, surrogateProblem } from '../../core/text.ts';
import { backslashByte, lineFeedByte, quoteByte } from './bytes.ts';
import { couldBeEscape, hexUnit, skipDigits } from './json-bytes.ts';
import { nulByteProblem } from './text-problem.ts';

/** Returned in place of a position: the text ends too early. */
export const incomplete = -1;
/** Returned in place of a position: not JSON; `error` says why. */
export const invalid = -2;

/** 0 for what may stand in a string as it is. */
const inString = new Uint8Array(256);
inString.fill(1, 0, 0x20);
inString[quoteByte] = 1;
inString[backslashByte] = 1;

const simpleEscapes = new Set([...'"\\/bfnrt'].map((one) => one.charCodeAt(0)));
const literals = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)] as const),
);

/** Finds where values end, whatever they are. */
export class JsonValueScanner {
  /** The first flaw of a value whose end was found: NUL, lone surrogates, bad strings, size. */
  flaw: string | null = null;
  /** Why the text is not JSON. */
  error = '';
  /** Where the text stops being JSON. */
  errorAt = 0;

  protected readonly spaces = new Uint8Array(256);
  private readonly lines: boolean;
  private readonly maxDepth: number;
  private readonly stack: Uint8Array;
  protected escaped = 0;
  /** About how many are inside of the object's own, by commas and brackets. */
  protected innerValues = 0;

  /** With `lines`, a line feed ends the text; otherwise it is white space. */
  constructor({ lines, maxDepth }: { lines: boolean; maxDepth: number }) {
    this.lines = lines;
    this.maxDepth = maxDepth;
    this.stack = new Uint8Array(maxDepth + 2);
    for (const space of lines ? ' \t\r' : ' \t\r\n') this.spaces[space.charCodeAt(0)] = 1;
  }

  /** Where the first byte from `at` on is that is not white space. */
  skipSpace(bytes: Uint8Array, at: number): number {
    const { spaces } = this;
    let to = at;
    while (spaces[bytes[to] as number] === 1) to += 1;
    return to;
  }

  /** Returns where the value at `at` ends. A number that reaches `end` may go on there. */
  value(bytes: Uint8Array, at: number, end: number): number {
    const { stack, spaces } = this;
    let depth = 0;
    let to = at;
    for (;;) {
      // A value begins here.
      let byte = bytes[to] as number;
      if (to >= end) return incomplete;
      if (byte === quoteByte) {
        to = this.string(bytes, to + 1, end);
        if (to < 0) return to;
      } else if (byte === 0x7b || byte === 0x5b) {
        const closing = byte + 2;
        depth += 1;
        this.innerValues += 1;
        // The row's own object is level 1.
        if (depth >= this.maxDepth) {
          this.flaw ??= `must not be nested deeper than ${this.maxDepth} levels`;
          return this.skipNested(bytes, to, end, depth);
        }
        stack[depth] = closing;
        to += 1;
        while (spaces[bytes[to] as number] === 1) to += 1;
        if (to >= end) return incomplete;
        if (bytes[to] !== closing) {
          if (closing === 0x5d) continue;
          to = this.key(bytes, to, end);
          if (to < 0) return to;
          continue;
        }
        to += 1;
        depth -= 1;
      } else {
        to =
          byte === 0x2d || (byte >= 0x30 && byte <= 0x39)
            ? this.number(bytes, to, end)
            : this.literal(bytes, to, end);
        if (to < 0) return to;
      }
      // A value has ended: its container goes on or ends.
      for (;;) {
        if (depth === 0) return to;
        while (spaces[bytes[to] as number] === 1) to += 1;
        if (to >= end) return incomplete;
        byte = bytes[to] as number;
        if (byte === 0x2c) {
          to += 1;
          this.innerValues += 1;
          while (spaces[bytes[to] as number] === 1) to += 1;
          if (stack[depth] === 0x7d) {
            to = this.key(bytes, to, end);
            if (to < 0) return to;
          }
          break;
        }
        if (byte !== stack[depth]) return this.fail(to, end, 'a comma or a closing bracket');
        to += 1;
        depth -= 1;
      }
    }
  }

  private key(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end || bytes[at] !== quoteByte) return this.fail(at, end, 'a key in quotes');
    let to = this.string(bytes, at + 1, end);
    if (to < 0) return to;
    to = this.skipSpace(bytes, to);
    if (to >= end || bytes[to] !== 0x3a) return this.fail(to, end, 'a colon');
    return this.skipSpace(bytes, to + 1);
  }

  /** Returns where the string ends whose text begins at `at`, behind its closing quote. */
  string(bytes: Uint8Array, at: number, end: number): number {
    let to = at;
    this.escaped = 0;
    for (;;) {
      let byte = bytes[to] as number;
      while (inString[byte] === 0) byte = bytes[++to] as number;
      if (byte === quoteByte && to < end) return to + 1;
      if (to >= end) return incomplete;
      if (byte === backslashByte) {
        this.escaped = 1;
        to = this.escape(bytes, to, end);
        if (to < 0) return to;
      } else {
        if (byte === lineFeedByte && this.lines) return this.fail(to, end, 'the end of a string');
        this.flaw ??= byte === 0 ? nulByteProblem : 'has a control character in a string';
        to += 1;
      }
    }
  }

  private escape(bytes: Uint8Array, at: number, end: number): number {
    if (at + 1 >= end) return incomplete;
    const kind = bytes[at + 1] as number;
    if (kind !== 0x75) {
      if (kind === lineFeedByte && this.lines) return this.fail(at + 1, end, 'the end of a string');
      if (!simpleEscapes.has(kind))
        this.flaw ??= 'has an escape in a string that JSON does not know';
      return at + 2;
    }
    if (at + 6 > end) return incomplete;
    const unit = hexUnit(bytes, at + 2);
    if (unit < 0) {
      this.flaw ??= 'has an escape in a string that JSON does not know';
      return at + 2;
    }
    if (unit === 0) this.flaw ??= nulProblem;
    if (unit < 0xd800 || unit > 0xdfff) return at + 6;
    if (unit <= 0xdbff) {
      // A high half needs the low one as its next escape.
      if (at + 12 > end && couldBeEscape(bytes, at + 6, end)) return incomplete;
      if (bytes[at + 6] === backslashByte && bytes[at + 7] === 0x75) {
        const low = hexUnit(bytes, at + 8);
        if (low >= 0xdc00 && low <= 0xdfff) return at + 12;
      }
    }
    this.flaw ??= surrogateProblem;
    return at + 6;
  }

  private number(bytes: Uint8Array, at: number, end: number): number {
    let to = at;
    if (bytes[to] === 0x2d) to += 1;
    if (bytes[to] === 0x30) to += 1;
    else {
      const digits = skipDigits(bytes, to);
      if (digits === to) return this.fail(to, end, 'a digit');
      to = digits;
    }
    if (bytes[to] === 0x2e) {
      const digits = skipDigits(bytes, to + 1);
      if (digits === to + 1) return this.fail(digits, end, 'a digit');
      to = digits;
    }
    if (bytes[to] === 0x65 || bytes[to] === 0x45) {
      to += 1;
      if (bytes[to] === 0x2b || bytes[to] === 0x2d) to += 1;
      const digits = skipDigits(bytes, to);
      if (digits === to) return this.fail(to, end, 'a digit');
      to = digits;
    }
    if (to - at > maxNumberLength) this.flaw ??= numberTooLong;
    return to >= end ? end : to;
  }

  private literal(bytes: Uint8Array, at: number, end: number): number {
    const word = literals.get(bytes[at] as number);
    if (!word) return this.fail(at, end, 'a value');
    for (let offset = 1; offset < word.length; offset += 1) {
      if (at + offset >= end) return incomplete;
      if (bytes[at + offset] !== word[offset]) return this.fail(at + offset, end, 'a value');
    }
    return at + word.length;
  }

  /**
   * From `at` to where as many brackets have closed as are open there or before, whatever stands
   * between them: how the end of a row is found that is not JSON, or too deep. `open` are those
   * open at `at`, itself included.
   */
  skipNested(bytes: Uint8Array, at: number, end: number, open = 1): number {
    let depth = open;
    for (let to = at + 1; to < end; to += 1) {
      const byte = bytes[to] as number;
      if (byte === lineFeedByte && this.lines) return this.fail(to, end, 'a closing bracket');
      if (byte === quoteByte) {
        for (to += 1; to < end && bytes[to] !== quoteByte; to += 1) {
          if (bytes[to] === backslashByte) to += 1;
          else if (bytes[to] === lineFeedByte && this.lines) break;
        }
        if (to < end && bytes[to] === lineFeedByte && this.lines) to -= 1;
      } else if (byte === 0x7b || byte === 0x5b) {
        depth += 1;
      } else if (byte === 0x7d || byte === 0x5d) {
        depth -= 1;
        if (depth === 0) return to + 1;
      }
    }
    return incomplete;
  }

  protected fail(at: number, end: number, expected: string): number {
    if (at >= end) return incomplete;
    this.error = expected;
    this.errorAt = at;
    return invalid;
  }
}
