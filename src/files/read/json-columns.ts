/** The columns of JSON rows: the names of their members, in the order in which rows bring them. */
import { sameBytes } from './json-bytes.ts';
import type { JsonScanner } from './json-scanner.ts';
import { maxNameBytes } from './limits.ts';

export class JsonColumns {
  readonly names: string[] = [];
  /** Bytes of all names, as they were written. */
  private nameBytes = 0;
  private readonly keys: Uint8Array[] = [];
  private readonly byKey = new Map<string, number>();
  private readonly byName = new Map<string, number>();
  private readonly most: number;
  private readonly onNew: (name: string, column: number) => void;

  /** `onNew` is told of each column as it comes; there are `most` at most. */
  constructor(most: number, onNew: (name: string, column: number) => void) {
    this.most = most;
    this.onNew = onNew;
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /**
   * The column of a member of the scanned object; -1 when there are too many. Keys come in one
   * order mostly, so its own place is looked at first.
   */
  columnOf(scanner: JsonScanner, bytes: Uint8Array, member: number): number {
    const { keys } = this;
    const start = scanner.keyStart[member] as number;
    const end = scanner.keyEnd[member] as number;
    const expected = keys[member];
    if (expected !== undefined && sameBytes(expected, bytes, start, end)) return member;
    const raw = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    const key = raw.toString('latin1');
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const name = scanner.keyEscaped[member]
      ? (JSON.parse(`"${raw.toString()}"`) as string)
      : raw.toString();
    const column = this.byName.get(name) ?? this.add(name, raw);
    // Ways to write one name are without end; those remembered are not.
    if (column >= 0 && this.byKey.size < 2 * this.most) this.byKey.set(key, column);
    return column;
  }

  private add(name: string, raw: Buffer): number {
    const column = this.names.length;
    if (column >= this.most || this.nameBytes + raw.length > maxNameBytes) return -1;
    this.nameBytes += raw.length;
    this.names.push(name);
    this.keys.push(Buffer.from(raw));
    this.byName.set(name, column);
    this.onNew(name, column);
    return column;
  }
}
