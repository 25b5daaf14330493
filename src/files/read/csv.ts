/**
 * CSV (RFC 4180) with any delimiter of one byte and any mix of line breaks. The cells of a row are written as a JSON array of strings
 * while they are found, in one pass over the bytes. A row that has not the header's number of cells is rejected, and so is one
 * whose quotes do not fit; it costs its first line alone, and so does one that took other rows with it.
 */
import { isUtf8 } from 'node:buffer';
import { blankStarts, isBlankRow } from './blank.ts';
import type { BlockReader, Rest } from './block-reader.ts';
import type { CsvDialect } from './csv-dialect.ts';
import { readCsvHeader, trimName, warnOfNames } from './csv-header.ts';
import { areBlankCells, decodeCell, isSame, jsonEscapes, jsonStops, writeHex } from './csv-json.ts';
import { behindBreak, isBreak, lineEnd } from './csv-lines.ts';
import { columnNames } from './csv-names.ts';
import { type Place, QuoteJudge } from './csv-quote-judge.ts';
import { type ChosenFields, chooseFields, createIds, type FieldOptions } from './fields.ts';
import { behindMarks, MARK_START } from './marks.ts';
import type { Rows } from './rows.ts';
import { encodingProblem, nulProblem } from './text-problem.ts';
import { rowTooLong } from './unreadable.ts';

// Constants of this file: bytes are compared with them, and those of another take a look each time.
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export class CsvReader implements BlockReader {
  /** The names of the header, without what stands around them; null before they are read. */
  header: string[] | null = null;
  fields: ChosenFields | null = null;
  private readonly rows: Rows;
  private readonly options: FieldOptions;
  private readonly hasIds: (column: number) => boolean;
  private readonly delimiter: number;
  private readonly judge: QuoteJudge;
  /** Bytes of a first line that is no header, and has not come yet. */
  private toSkip: number;
  private spaced = false;
  private bareReturns = false;
  /** 0 for bytes that stand in an unquoted cell as they are, and in JSON too. */
  private readonly unquoted: Uint8Array;
  /** 0 for bytes that no row of blank cells has. */
  private readonly blankRow: Uint8Array;
  /** The header's cells as a row is written; empty where a row may well be equal to it. */
  private headerRow: Uint8Array = Buffer.alloc(0);
  private idColumn = -1;
  private row = 0;
  private line = 1;
  /** Bytes of the file before the block. */
  private offset = 0;

  /** `hasIds`: whether one of the first rows has a custom id in a column. */
  constructor(
    rows: Rows,
    dialect: CsvDialect,
    options: FieldOptions,
    hasIds: (column: number) => boolean,
  ) {
    const { delimiter, quoting, start } = dialect;
    this.rows = rows;
    this.delimiter = delimiter;
    this.judge = new QuoteJudge(rows, quoting);
    this.toSkip = start;
    if (start > 0) this.line += 1;
    this.options = options;
    this.hasIds = hasIds;
    this.unquoted = Uint8Array.from(jsonStops);
    this.unquoted[delimiter] = 1;
    this.blankRow = Uint8Array.from(blankStarts);
    this.blankRow[delimiter] = 1;
    this.blankRow[QUOTE] = 1;
  }

  read(bytes: Uint8Array, start: number, end: number, rest: Rest, valid: boolean): number {
    let at = start;
    while (this.header === null) {
      if (at >= end) return end;
      if (this.toSkip > 0) {
        const skipped = Math.min(this.toSkip, end - at);
        this.toSkip -= skipped;
        at += skipped;
        continue;
      }
      const behind = this.readHeader(bytes, behindMarks(bytes, at, end), end, rest);
      if (behind < 0) return at;
      at = behind;
    }
    const unread = this.readRows(bytes, at, end, rest, valid);
    this.offset += unread - start;
    return unread;
  }

  /** Where the header ends; -1 when it does not yet. Blank lines before it are nothing. */
  private readHeader(bytes: Uint8Array, start: number, end: number, rest: Rest): number {
    const { rows, delimiter, judge } = this;
    const header = readCsvHeader(bytes, start, end, {
      delimiter,
      quoting: judge.quoting,
      rest,
      maxColumns: rows.limits.columns,
    });
    if (header === null) return -1;
    this.line += header.lines;
    if (header.cells === null) return header.next;
    const trimmed = header.cells.map(trimName);
    warnOfNames(rows, header.cells, trimmed);
    const names = columnNames(trimmed);
    const fields = chooseFields(names, names, this.options);
    this.header = trimmed;
    this.fields = fields;
    judge.begin(names.length, header.rules);
    this.spaced = header.rules.spaced;
    this.bareReturns = header.rules.bareReturns;
    if (names.length > 1) this.headerRow = Buffer.from(JSON.stringify(header.cells));
    if (fields.customIdField !== null) {
      this.idColumn = names.indexOf(fields.customIdField);
    }
    rows.ids = createIds(fields, {
      hasIds: () => this.hasIds(this.idColumn),
      maxRows: rows.limits.rows,
    });
    return header.next;
  }

  private readRows(
    bytes: Uint8Array,
    start: number,
    end: number,
    rest: Rest,
    valid: boolean,
  ): number {
    const { rows, judge, delimiter, unquoted, blankRow, idColumn } = this;
    const { spaced, bareReturns, headerRow } = this;
    const { sink } = rows;
    const stops = jsonStops;
    const escapes = jsonEscapes;
    const width = (this.header as string[]).length;
    const lineBreak = bareReturns ? CARRIAGE_RETURN : LINE_FEED;
    // Every loop over the bytes of a cell stops here at the latest.
    bytes[end] = LINE_FEED;
    let from = start;
    while (from < end) {
      const quote = judge.quoting === 'off' ? -1 : QUOTE;
      const begin = bytes[from] === MARK_START ? behindMarks(bytes, from, end) : from;
      let at = begin;
      const begun = sink.beginFields();
      let to = begun;
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
      // Ends with `at` behind the row, or at what makes it malformed; at -1 when the block ends in it, at -2 when it ends in quotes.
      for (;;) {
        let isEscaped = false;
        target[to++] = QUOTE;
        byte = bytes[at] as number;
        if (spaced && byte === BLANK) {
          let opening = at;
          while (bytes[opening] === BLANK) opening += 1;
          if (bytes[opening] === quote) {
            at = opening;
            byte = quote;
          }
        }
        if (byte === quote) {
          byte = bytes[++at] as number;
          let isOpen = true;
          for (;;) {
            while (stops[byte] === 0) {
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
            } else if (byte === lineBreak) lineBreaks += 1;
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
          if (spaced) while (byte === BLANK) byte = bytes[++at] as number;
          if (
            byte !== delimiter &&
            byte !== LINE_FEED &&
            !(byte === CARRIAGE_RETURN && (bareReturns || isBreak(bytes, at)))
          ) {
            isMalformed = true;
            break;
          }
        }
        for (;;) {
          while (unquoted[byte] === 0) {
            target[to++] = byte;
            byte = bytes[++at] as number;
          }
          if (byte === delimiter || byte === LINE_FEED) break;
          if (byte === CARRIAGE_RETURN && (bareReturns || isBreak(bytes, at))) break;
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
        else at = behindBreak(bytes, at, end, rest === 'last');
        break;
      }
      target[to++] = 0x5d;

      if (isMalformed || at < 0) {
        // A block may end in a row; at -1 there is more to come for it, and at 'full' no room.
        if (!isMalformed && (rest === 'more' || at === -1)) return from;
        const seen = isMalformed ? at : end;
        const behind = this.leaveLine(bytes, { from, begin, seen, end, rest, lineBreaks });
        if (behind < 0) return from;
        from = behind;
        continue;
      }
      if (at - from > rows.limits.rowBytes) throw rowTooLong(rows.limits.rowBytes);
      if (!sink.fits(to, 3 * 512)) continue;
      const lines = lineBreaks > 0 ? judge.plainRowsIn(bytes, begin, at, cells) : 0;
      if (lines > 0) {
        const place = this.placeOf(from - start);
        const verdict = judge.ofLines(bytes, begin, at, { lines, cells, place });
        if (verdict !== 'row') {
          if (verdict !== 'again') {
            this.rejectLine(verdict.reject);
            from = lineEnd(bytes, begin, at, { bareReturns, isLast: true });
          }
          continue;
        }
      }
      this.row += 1;
      const line = this.line;
      this.line += 1 + lineBreaks;
      if (
        blankRow[bytes[begin] as number] !== 0 &&
        isBlankRow(bytes, begin, at, blankRow) &&
        areBlankCells(target, begun, to)
      ) {
        rows.skipBlank(this.row);
        from = at;
        continue;
      }
      if (begin !== from) rows.warnOfMark(this.row);
      const problem =
        cells !== width
          ? `has ${cells} ${cells === 1 ? 'cell' : 'cells'} where the header has ${width}`
          : hasNul
            ? nulProblem
            : !valid && !isUtf8(bytes.subarray(from, at))
              ? encodingProblem(bytes.subarray(from, at))
              : to - begun === headerRow.length && isSame(headerRow, target, begun)
                ? 'repeats the header'
                : null;
      if (problem !== null) {
        const where = lineBreaks > 0 ? `lines ${line} to ${line + lineBreaks}` : `line ${line}`;
        rows.reject(this.row, `${problem} (${where})`);
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

  /** Goes on behind the first line of a row whose quotes do not fit. Returns where; -1 when its end is not there yet. */
  private leaveLine(
    bytes: Uint8Array,
    row: { from: number; begin: number; seen: number; end: number; rest: Rest; lineBreaks: number },
  ): number {
    const { from, begin, seen, end, rest, lineBreaks } = row;
    const isLast = rest === 'last';
    const next = lineEnd(bytes, begin, end, { bareReturns: this.bareReturns, isLast });
    if (next < 0) return -1;
    const last = this.line + lineBreaks;
    const reason =
      seen === end
        ? 'has a quoted cell that never ends'
        : lineBreaks === 0
          ? 'has something behind a closing quote'
          : `has a quoted cell that ends in line ${last} with something behind it; quote=none reads quotes as text`;
    const place = this.placeOf(from);
    const verdict = this.judge.ofBroken(bytes, begin, next, { seen, reason, place });
    if (verdict === 'again' || verdict === 'row') return from;
    this.rejectLine(verdict.reject);
    return next;
  }

  private rejectLine(reason: string): void {
    this.row += 1;
    this.rows.reject(this.row, `${reason} (line ${this.line})`);
    this.line += 1;
  }

  private placeOf(from: number): Place {
    return { row: this.row + 1, line: this.line, offset: this.offset + from };
  }
}
