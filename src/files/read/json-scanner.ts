/** Finds the members of a row's object in JSON text, which stays where it lies. */
import { quoteByte } from './bytes.ts';
import { incomplete, JsonValueScanner } from './json-value-scanner.ts';
import { maxRowValues } from './limits.ts';

const tooManyValues = `must hold at most ${maxRowValues.toLocaleString('en')} values`;

/** Reads objects, whose members the scanner then has. */
export class JsonScanner extends JsonValueScanner {
  /** The last `object`'s members, in order: keys without quotes, values as they stand. */
  members = 0;
  keyStart: number[] = [];
  keyEnd: number[] = [];
  /** 1 where the key has escapes. */
  keyEscaped: number[] = [];
  valueStart: number[] = [];
  valueEnd: number[] = [];

  /** The object that begins at `at` (a brace): returns where it ends, and sets the members. */
  object(bytes: Uint8Array, at: number, end: number): number {
    this.members = 0;
    this.innerValues = 0;
    let to = this.skipSpace(bytes, at + 1);
    if (bytes[to] === 0x7d && to < end) return to + 1;
    for (;;) {
      if (bytes[to] !== quoteByte || to >= end) return this.fail(to, end, 'a key in quotes');
      const key = to + 1;
      to = this.string(bytes, key, end);
      if (to < 0) return to;
      const member = this.members;
      this.keyStart[member] = key;
      this.keyEnd[member] = to - 1;
      this.keyEscaped[member] = this.escaped;
      to = this.skipSpace(bytes, to);
      if (bytes[to] !== 0x3a || to >= end) return this.fail(to, end, 'a colon');
      to = this.skipSpace(bytes, to + 1);
      this.valueStart[member] = to;
      to = this.value(bytes, to, end);
      if (to < 0) return to;
      this.valueEnd[member] = to;
      this.members = member + 1;
      to = this.skipSpace(bytes, to);
      if (to >= end) return incomplete;
      if (bytes[to] === 0x7d) {
        if (this.members + this.innerValues > maxRowValues) this.flaw ??= tooManyValues;
        return to + 1;
      }
      if (bytes[to] !== 0x2c) return this.fail(to, end, 'a comma or a closing brace');
      if (this.members > maxRowValues) {
        this.flaw ??= tooManyValues;
        return this.skipNested(bytes, to, end);
      }
      to = this.skipSpace(bytes, to + 1);
    }
  }

  /** Adds the members of another object to those of the last one. */
  addMembers(other: JsonScanner): void {
    for (let from = 0; from < other.members; from += 1) {
      const member = this.members;
      this.keyStart[member] = other.keyStart[from] as number;
      this.keyEnd[member] = other.keyEnd[from] as number;
      this.keyEscaped[member] = other.keyEscaped[from] as number;
      this.valueStart[member] = other.valueStart[from] as number;
      this.valueEnd[member] = other.valueEnd[from] as number;
      this.members = member + 1;
    }
  }
}
