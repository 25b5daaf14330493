/**
 * CSV (RFC 4180) with any delimiter of one byte and any mix of line breaks. The cells of a row are written as a JSON array of strings
 * while they are found, in one pass over the bytes. A row that has not the header's number of cells is rejected, and so is one
 * whose quotes do not fit; a quote that never closes costs its own line alone.
 */
import { isUtf8 } from 'node:buffer';
import type { BlockReader, Rest } from './block-reader.ts';
import { readCsvHeader } from './csv-header.ts';
import { columnNames } from './csv-names.ts';
import { CustomIds } from './custom-ids.ts';
import { type ChosenFields, chooseFields, type FieldOptions } from './fields.ts';
import type { Rows } from './rows.ts';
import { encodingProblem, nulProblem } from './text-problem.ts';
import { rowTooLong } from './unreadable.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** What follows a backslash in JSON; `u` stands for the long form. */
const escapes = new Uint8Array(0x60);
escapes.fill(0x75, 0, 0x20);
for (const [byte, letter] of [...Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r' })]) {
  escapes[Number(byte)] = letter.charCodeAt(0);
}
escapes[QUOTE] = QUOTE;
escapes[BACKSLASH] = BACKSLASH;

const hexDigits = Buffer.from('0123456789abcdef');

/** 0 for bytes that stand in a quoted cell as they are, and in JSON too. */
const quoted = new Uint8Array(256);
quoted.fill(1, 0, 0x20);
quoted[QUOTE] = 1;
quoted[BACKSLASH] = 1;

export class CsvReader implements BlockReader {
  /** The header's cells as they came; null before they are read. */
  header: string[] | null = null;
  fields: ChosenFields | null = null;
  private readonly rows: Rows;
  private readonly delimiter: number;
  private readonly options: FieldOptions;
  /** 0 for bytes that stand in an unquoted cell as they are, and in JSON too. */
  private readonly unquoted: Uint8Array;
  private idColumn = -1;
  private row = 0;
  private line = 1;

  constructor(rows: Rows, delimiter: number, options: FieldOptions) {
    this.rows = rows;
    this.delimiter = delimiter;
    this.options = options;
    this.unquoted = Uint8Array.from(quoted);
    this.unquoted[delimiter] = 1;
  }

  read(bytes: Uint8Array, start: number, end: number, rest: Rest, valid: boolean): number {
    let at = start;
    while (this.header === null) {
      if (at >= end) return end;
      const behind = this.readHeader(bytes, at, end, rest);
      if (behind < 0) return at;
      at = behind;
    }
    return this.readRows(bytes, at, end, rest, valid);
  }

  /** Where the header ends; -1 when it does not yet. Blank lines before it are nothing. */
  private readHeader(bytes: Uint8Array, start: number, end: number, rest: Rest): number {
    const record = readCsvHeader(bytes, start, end, {
      delimiter: this.delimiter,
      rest,
      maxColumns: this.rows.limits.columns,
    });
    if (record === null) return -1;
    this.line += record.lines;
    if (record.cells === null) return record.next;
    const names = columnNames(record.cells);
    const fields = chooseFields(names, names, this.options);
    this.header = record.cells;
    this.fields = fields;
    if (fields.customIdField !== null) {
      this.idColumn = names.indexOf(fields.customIdField);
      this.rows.ids = new CustomIds(fields.idRule, this.rows.limits.rows);
    }
    return record.next;
  }

  private readRows(
    bytes: Uint8Array,
    start: number,
    end: number,
    rest: Rest,
    valid: boolean,
  ): number {
    const { rows, delimiter, unquoted, idColumn } = this;
    const { sink } = rows;
    const width = (this.header as string[]).length;
    // Every loop over the bytes of a cell stops here at the latest.
    bytes[end] = LINE_FEED;
    let from = start;
    while (from < end) {
      let at = from;
      if (width > 1) {
        const byte = bytes[at];
        if (byte === LINE_FEED || (byte === CARRIAGE_RETURN && (at + 1 < end || rest === 'last'))) {
          // A blank line: of one column it would be a row, of several it is none.
          this.line += 1;
          from =
            byte === CARRIAGE_RETURN && at + 1 < end && bytes[at + 1] === LINE_FEED
              ? at + 2
              : at + 1;
          continue;
        }
      }
      let to = sink.beginFields();
      const target = sink.bytes;
      let cells = 0;
      let hasNul = false;
      let isMalformed = false;
      let lineBreaks = 0;
      let idStart = 0;
      let idEnd = 0;
      let idEscaped = false;
      target[to++] = 0x5b;
      let cellStart = to;
      let byte: number;
      // Ends with `at` behind the row; at -1 when the block ends in it, at -2 when it ends in quotes.
      for (;;) {
        let isEscaped = false;
        target[to++] = QUOTE;
        byte = bytes[at] as number;
        if (byte === QUOTE) {
          byte = bytes[++at] as number;
          let isOpen = true;
          for (;;) {
            while (quoted[byte] === 0) {
              target[to++] = byte;
              byte = bytes[++at] as number;
            }
            if (at >= end) break;
            if (byte === QUOTE) {
              byte = bytes[++at] as number;
              if (byte !== QUOTE || at >= end) {
                isOpen = false;
                break;
              }
            } else if (byte === LINE_FEED) lineBreaks += 1;
            isEscaped = true;
            target[to++] = BACKSLASH;
            target[to++] = escapes[byte] as number;
            if (escapes[byte] === 0x75) {
              if (byte === 0) hasNul = true;
              to = writeHex(target, to, byte);
            }
            byte = bytes[++at] as number;
          }
          if (isOpen) {
            at = -2;
            break;
          }
          if (byte !== delimiter && byte !== LINE_FEED && byte !== CARRIAGE_RETURN) {
            isMalformed = true;
          }
        }
        for (;;) {
          while (unquoted[byte] === 0) {
            target[to++] = byte;
            byte = bytes[++at] as number;
          }
          if (byte === delimiter || byte === LINE_FEED || byte === CARRIAGE_RETURN) break;
          isEscaped = true;
          target[to++] = BACKSLASH;
          target[to++] = escapes[byte] as number;
          if (escapes[byte] === 0x75) {
            if (byte === 0) hasNul = true;
            to = writeHex(target, to, byte);
          }
          byte = bytes[++at] as number;
        }
        target[to++] = QUOTE;
        if (cells === idColumn) {
          idStart = cellStart;
          idEnd = to;
          idEscaped = isEscaped;
        }
        cells += 1;
        if (byte === delimiter && at < end) {
          at += 1;
          target[to++] = 0x2c;
          cellStart = to;
          continue;
        }
        if (at >= end) at = rest === 'last' ? end : -1;
        else if (byte === LINE_FEED) at += 1;
        else if (at + 1 >= end) at = rest === 'last' ? end : -1;
        else at += bytes[at + 1] === LINE_FEED ? 2 : 1;
        break;
      }
      target[to++] = 0x5d;

      if (at < 0) {
        if (rest === 'more') return from;
        // At -1 there is more to come, and no room for it.
        if (at === -1) return from;
        at = this.giveUp(bytes, from, end, rest);
        if (at < 0) return from;
        from = at;
        continue;
      }
      if (at - from > rows.limits.rowBytes) throw rowTooLong(rows.limits.rowBytes);
      if (!sink.fits(to, 3 * 512)) continue;
      this.row += 1;
      const line = this.line;
      this.line += 1 + lineBreaks;
      const problem = isMalformed
        ? 'has something behind a closing quote'
        : cells !== width
          ? `has ${cells} ${cells === 1 ? 'cell' : 'cells'} where the header has ${width}`
          : hasNul
            ? nulProblem
            : valid || isUtf8(bytes.subarray(from, at))
              ? null
              : encodingProblem(bytes.subarray(from, at));
      if (problem !== null) {
        rows.reject(this.row, `${problem} (line ${line})`);
      } else if (rows.ids === null) {
        rows.accept(this.row, to, null, 0, 0);
      } else if (idEscaped) {
        const id = decodeCell(target, idStart, idEnd);
        rows.accept(this.row, to, id, 0, id.length);
      } else {
        rows.accept(this.row, to, target, idStart + 1, idEnd - 1);
      }
      from = at;
    }
    return end;
  }

  /** Rejects the line that a quote which never closes stands in. Returns where the next begins; -1 when it is the only line there is. */
  private giveUp(bytes: Uint8Array, start: number, end: number, rest: Rest): number {
    let at = start;
    while (at < end && bytes[at] !== LINE_FEED && bytes[at] !== CARRIAGE_RETURN) at += 1;
    if (at >= end && rest === 'full') return -1;
    this.row += 1;
    this.rows.reject(this.row, `has a quoted cell that never ends (line ${this.line})`);
    this.line += 1;
    if (at >= end) return end;
    return bytes[at] === CARRIAGE_RETURN && at + 1 < end && bytes[at + 1] === LINE_FEED
      ? at + 2
      : at + 1;
  }
}

function writeHex(target: Uint8Array, at: number, byte: number): number {
  target[at] = 0x30;
  target[at + 1] = 0x30;
  target[at + 2] = hexDigits[byte >> 4] as number;
  target[at + 3] = hexDigits[byte & 15] as number;
  return at + 4;
}

/** The bytes of a cell that was written as the JSON string target[start, end). */
function decodeCell(target: Uint8Array, start: number, end: number): Uint8Array {
  const json = Buffer.from(target.buffer, target.byteOffset + start, end - start);
  return Buffer.from(JSON.parse(json.toString()) as string);
}
