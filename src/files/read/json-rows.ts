/** A JSON value that is a row: a string is its content, an object its fields, as their text. */

import { isUtf8 } from 'node:buffer';
import { maxCustomIdBytes } from '../../core/ids.ts';
import { readBareRow } from '../request-row.ts';
import { openBrace, quoteByte } from './bytes.ts';
import { bareLineCheck } from './chat-lines.ts';
import { CustomIds, canBeId } from './custom-ids.ts';
import { type ChosenFields, chooseFields, createIds, type FieldOptions } from './fields.ts';
import { decodeString } from './json-bytes.ts';
import { JsonColumns } from './json-columns.ts';
import { isItem, itemFields, itemIds, itemMetadata, itemText } from './json-items.ts';
import { JsonScanner } from './json-scanner.ts';
import { maxNameBytes } from './limits.ts';
import type { Rows } from './rows.ts';
import { encodingProblem } from './text-problem.ts';
import { rowTooLong } from './unreadable.ts';

/** The name that the content of a row goes by when the row is a string. */
export const contentColumn = 'content';

/** The members that a line of a provider's batch file must have. */
export interface MemberCheck {
  /** The members that are looked at. */
  names: readonly string[];
  /** Why a line is none; `members` are those of `names`, -1 where it has none of that name. */
  problem(bytes: Uint8Array, scanner: JsonScanner, members: Int32Array): string | null;
}

export class JsonRows {
  /** Names in the order in which rows brought them. */
  readonly columns: readonly string[];
  fields: ChosenFields | null = null;
  /** True where the first rows are complete requests, each of them. */
  areRequests = false;
  /** True once a row was a string: its text is the column `content`. */
  private hasStrings = false;
  private readonly rows: Rows;
  private readonly scanner: JsonScanner;
  private readonly seen: JsonColumns;
  /** The columns of the fields that were chosen; -1 until a row brings them. */
  private contentColumn = -1;
  private idColumn = -1;
  /** The columns that make a row an item, and what its metadata is read with. */
  private textColumn = -1;
  private metadataColumn = -1;
  private hasItems = false;
  /** No column of custom ids was found, and one that comes is told. */
  private watches = false;
  private readonly inner: JsonScanner;
  private readonly check: MemberCheck;
  /** False where each row is a line for a provider. */
  private readonly isPlain: boolean;
  /** For a column the place in `check.names` of its name. */
  private readonly checkedAt: Int32Array;
  private readonly checked: Int32Array;
  /** True where rows are checked: plain ones only once their columns are those of lines. */
  private isChecked: boolean;

  constructor(rows: Rows, scanner: JsonScanner, check: MemberCheck | null) {
    this.rows = rows;
    this.scanner = scanner;
    this.seen = new JsonColumns(rows.limits.columns, (name, column) =>
      this.meetColumn(name, column),
    );
    this.columns = this.seen.names;
    this.check = check ?? bareLineCheck;
    this.isPlain = check === null;
    this.isChecked = check !== null;
    this.checked = new Int32Array(this.check.names.length);
    this.checkedAt = new Int32Array(rows.limits.columns);
    this.inner = new JsonScanner({ lines: false, maxDepth: rows.limits.depth });
  }

  /** Chooses content and custom id by the first rows, parsed. */
  choose(sample: readonly unknown[], options: FieldOptions): void {
    const given = sample.filter(
      (row): row is Record<string, unknown> => typeof row === 'object' && row !== null,
    );
    const objects = given.map(itemFields);
    this.areRequests = given.length > 0 && given.every((row) => readBareRow(row, null) !== null);
    const names = [...new Set(objects.flatMap((row) => Object.keys(row)))];
    const textNames = names.filter((name) =>
      objects.every((row) => Object.hasOwn(row, name) && typeof row[name] === 'string'),
    );
    const fields = chooseFields(
      names,
      textNames,
      options,
      given.some(isItem) ? itemIds : undefined,
    );
    const { customIdField: id } = fields;
    this.setFields(fields, () => objects.some((row) => id !== null && canBeId(row[id])));
    // An id that only later rows have is told when it comes.
    this.watches = options.customIdField === undefined && id === null;
  }

  setFields(fields: ChosenFields, hasIds: () => boolean = () => true): void {
    this.fields = fields;
    this.rows.ids = createIds(fields, { hasIds, maxRows: this.rows.limits.rows });
  }

  /** The names of all columns, `content` for rows that are strings, none for items' metadata. */
  allColumns(): string[] {
    const names = this.columns.filter((name) => !this.hasItems || name !== itemMetadata);
    return this.hasStrings && !this.seen.has(contentColumn) ? [contentColumn, ...names] : names;
  }

  /**
   * Takes in the value bytes[start, end) as a row. The scanner has just scanned it: an object's
   * members are still there. False when the sink had to make room: call again.
   */
  take(row: number, bytes: Buffer, start: number, end: number, valid: boolean): boolean {
    const { rows, scanner } = this;
    const kind = bytes[start];
    if (end - start > rows.limits.rowBytes) throw rowTooLong(rows.limits.rowBytes);
    const problem =
      scanner.flaw ??
      (valid || isUtf8(bytes.subarray(start, end))
        ? null
        : encodingProblem(bytes.subarray(start, end)));
    if (problem !== null) {
      rows.reject(row, problem);
      return true;
    }
    if (kind === quoteByte && this.isPlain) return this.takeString(row, bytes, start, end);
    if (kind === openBrace) return this.takeObject(row, bytes, start, end);
    rows.reject(row, this.isPlain ? noRow(kind) : 'is not an object');
    return true;
  }

  private takeString(row: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { rows } = this;
    const { sink } = rows;
    if (rows.ids?.areKept) {
      rows.reject(row, `is a string, and so has no ${this.fields?.customIdField ?? 'custom id'}`);
      return true;
    }
    const text = decodeString(bytes, start, end);
    const begun = sink.beginContent();
    if (!sink.fits(begun + text.length, 0)) return false;
    sink.bytes.set(text, begun);
    this.hasStrings = true;
    rows.accept(row, begun + text.length, null, 0, 0);
    return true;
  }

  private takeObject(row: number, bytes: Buffer, start: number, end: number): boolean {
    const { rows, scanner } = this;
    const { sink } = rows;
    let contentMember = -1;
    let idMember = -1;
    let textMember = -1;
    let metadataMember = -1;
    const own = scanner.members;
    const { checked, checkedAt, isChecked } = this;
    if (isChecked) checked.fill(-1);
    for (let member = 0; member < scanner.members; member += 1) {
      const column = this.seen.columnOf(scanner, bytes, member);
      if (column < 0) {
        rows.reject(
          row,
          `brings more keys than a file can have: ${rows.limits.columns}, of ${maxNameBytes.toLocaleString('en')} bytes together`,
        );
        return true;
      }
      if (isChecked) {
        // The last one of a name counts, as for JSON.parse; a field of an item's metadata is none
        // of the line's.
        const place = checkedAt[column] as number;
        if (place >= 0 && member < own) checked[place] = member;
      }
      if (column === this.contentColumn && (member < own || contentMember < 0)) {
        contentMember = member;
      }
      if (column === this.idColumn && (member < own || idMember < 0)) idMember = member;
      if (member < own) {
        if (column === this.textColumn) textMember = member;
        if (column === this.metadataColumn) metadataMember = member;
        // The members of an item's metadata are its fields, and come behind its own.
        if (member === own - 1 && metadataMember >= 0) {
          this.addMetadata(bytes, textMember, metadataMember);
        }
      }
    }
    if (this.isChecked && !isChecked) {
      // Its columns have just become those of a line.
      scanner.members = own;
      return this.takeObject(row, bytes, start, end);
    }
    const problem =
      (isChecked ? this.check.problem(bytes, scanner, checked) : null) ??
      this.contentProblem(bytes, contentMember);
    if (problem !== null) {
      rows.reject(row, problem);
      return true;
    }
    const length = end - start;
    const begun = sink.beginFields();
    if (!sink.fits(begun + length, maxCustomIdBytes)) return false;
    bytes.copy(sink.bytes, begun, start, end);
    this.acceptObject(row, bytes, idMember, begun + length);
    return true;
  }

  /** Adds the members of the metadata to those of the present object, where that is an item. */
  private addMetadata(bytes: Uint8Array, text: number, metadata: number): void {
    const { scanner, inner } = this;
    const start = scanner.valueStart[metadata] as number;
    if (!this.isPlain || text < 0) return;
    if (bytes[scanner.valueStart[text] as number] !== quoteByte || bytes[start] !== openBrace)
      return;
    this.hasItems = true;
    inner.object(bytes, start, scanner.valueEnd[metadata] as number);
    scanner.addMembers(inner);
  }

  private contentProblem(bytes: Uint8Array, member: number): string | null {
    const name = this.fields?.contentField ?? null;
    if (name === null) return null;
    if (member >= 0 && bytes[this.scanner.valueStart[member] as number] !== 0x6e) return null;
    return `has no ${JSON.stringify(name)}, the field that holds the content`;
  }

  private acceptObject(row: number, bytes: Uint8Array, idMember: number, at: number): void {
    const { rows, scanner } = this;
    if (rows.ids === null || idMember < 0) {
      rows.accept(row, at, null, 0, 0);
      return;
    }
    const start = scanner.valueStart[idMember] as number;
    const end = scanner.valueEnd[idMember] as number;
    const first = bytes[start] as number;
    if (first === quoteByte) {
      if (bytes.subarray(start, end).includes(0x5c)) {
        const id = decodeString(bytes, start, end);
        rows.accept(row, at, id, 0, id.length);
      } else {
        rows.accept(row, at, bytes, start + 1, end - 1);
      }
    } else if (first === 0x2d || (first >= 0x30 && first <= 0x39)) {
      rows.accept(row, at, bytes, start, end);
    } else {
      const problem =
        first === 0x6e ? rows.ids.missing() : rows.ids.unfit('is neither text nor a number');
      if (problem === null) rows.accept(row, at, null, 0, 0);
      else rows.reject(row, problem);
    }
  }

  private meetColumn(name: string, column: number): void {
    if (name === this.fields?.contentField) this.contentColumn = column;
    if (name === this.fields?.customIdField) this.idColumn = column;
    if (this.watches && isIdName(name) && name !== this.fields?.contentField)
      this.watch(name, column);
    this.checkedAt[column] = this.check.names.indexOf(name);
    if (this.seen.has('url') && this.seen.has('body')) this.isChecked = true;
    if (name === itemText) this.textColumn = column;
    if (name === itemMetadata) this.metadataColumn = column;
  }

  /** From the first row on that has it, a column of ids that nobody expected. */
  private watch(name: string, column: number): void {
    this.watches = false;
    this.idColumn = column;
    this.rows.ids = new CustomIds(name, 'watched', this.rows.limits.rows);
  }
}

function noRow(kind: number | undefined): string {
  const isArray = kind === 0x5b;
  return `must be an object or a string${isArray ? ', not an array; pandas writes objects with orient="records"' : ''}`;
}

function isIdName(name: string): boolean {
  return ['custom_id', 'id'].includes(name.toLowerCase());
}
