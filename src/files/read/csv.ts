/**
 * CSV (RFC 4180) with any delimiter of one byte and any mix of line breaks. The cells of a row are
 * written as a JSON array of strings while they are found, in one pass over the bytes. A row that
 * has not the header's number of cells is rejected, and so is one whose quotes do not fit; it costs
 * its first line alone, and so does one that took other rows with it.
 */
import { isUtf8 } from 'node:buffer';
import { maxCustomIdBytes } from '../../core/ids.ts';
import { blankStarts, isBlankRow } from './blank.ts';
import type { BlockReader, Rest } from './block-reader.ts';
import { blankByte, carriageReturnByte, lineFeedByte, quoteByte } from './bytes.ts';
import type { CsvDialect } from './csv-dialect.ts';
import { type CsvHeader, CsvHeaderReader } from './csv-header.ts';
import { areBlankCells, decodeCell, isSame, jsonStops, writeEscape } from './csv-json.ts';
import { behindBreak, isBreak } from './csv-lines.ts';
import { columnNames } from './csv-names.ts';
import { type Place, QuoteJudge, type Verdict } from './csv-quote-judge.ts';
import { type ChosenFields, chooseFields, createIds, type FieldOptions } from './fields.ts';
import { behindMarks, markStart } from './marks.ts';
import type { Rows } from './rows.ts';
import { encodingProblem, nulByteProblem } from './text-problem.ts';
import { rowTooLong } from './unreadable.ts';

export class CsvReader implements BlockReader {
  /** The names of the header, without what stands around them; null before they are read. */
  header: string[] | null = null;
  fields: ChosenFields | null = null;
  private readonly rows: Rows;
  private readonly options: FieldOptions;
  private readonly hasIds: (column: number) => boolean;
  private readonly delimiter: number;
  private readonly judge: QuoteJudge;
  private readonly head: CsvHeaderReader;
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
    const { delimiter, quoting } = dialect;
    this.rows = rows;
    this.delimiter = delimiter;
    this.judge = new QuoteJudge(rows, quoting);
    this.head = new CsvHeaderReader(rows, dialect);
    this.options = options;
    this.hasIds = hasIds;
    this.unquoted = Uint8Array.from(jsonStops);
    this.unquoted[delimiter] = 1;
    this.blankRow = Uint8Array.from(blankStarts);
    this.blankRow[delimiter] = 1;
    this.blankRow[quoteByte] = 1;
  }

  read(bytes: Uint8Array, start: number, end: number, rest: Rest, valid: boolean): number {
    let at = start;
    while (this.header === null) {
      if (at >= end) return end;
      const behind = this.head.read(bytes, at, end, rest);
      if (behind < 0) return at;
      at = behind;
      if (this.head.header !== null) this.begin(this.head.header);
    }
    const unread = this.readRows(bytes, at, end, rest, valid);
    this.offset += unread - start;
    return unread;
  }

  /** The file has ended. */
  finish(): void {
    this.judge.finish();
  }

  private begin({ cells, names, rules }: CsvHeader): void {
    const { rows, judge } = this;
    const columns = columnNames(names);
    const fields = chooseFields(columns, columns, this.options);
    this.header = names;
    this.fields = fields;
    this.line = this.head.line;
    this.spaced = rules.spaced;
    this.bareReturns = rules.bareReturns;
    judge.begin(columns.length, rules);
    if (columns.length > 1) this.headerRow = Buffer.from(JSON.stringify(cells));
    if (fields.customIdField !== null) this.idColumn = columns.indexOf(fields.customIdField);
    rows.ids = createIds(fields, {
      hasIds: () => this.hasIds(this.idColumn),
      maxRows: rows.limits.rows,
    });
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
    const width = (this.header as string[]).length;
    const lineBreak = bareReturns ? carriageReturnByte : lineFeedByte;
    // Every loop over the bytes of a cell stops here at the latest.
    bytes[end] = lineFeedByte;
    let from = start;
    while (from < end) {
      const quote = judge.quoting === 'off' ? -1 : quoteByte;
      const begin = bytes[from] === markStart ? behindMarks(bytes, from, end) : from;
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
      // Ends with `at` behind the row, or at what makes it malformed; at -1 when the block ends in
      // it, at -2 when it ends in quotes.
      for (;;) {
        let isEscaped = false;
        target[to++] = quoteByte;
        byte = bytes[at] as number;
        if (spaced && byte === blankByte) {
          let opening = at;
          while (bytes[opening] === blankByte) opening += 1;
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
            if (byte === quoteByte) {
              byte = bytes[++at] as number;
              if (byte !== quoteByte || at >= end) {
                isOpen = false;
                break;
              }
            } else if (byte === lineBreak) lineBreaks += 1;
            isEscaped = true;
            if (byte === 0) hasNul = true;
            to = writeEscape(target, to, byte);
            byte = bytes[++at] as number;
          }
          if (isOpen) {
            at = -2;
            break;
          }
          if (spaced) while (byte === blankByte) byte = bytes[++at] as number;
          if (
            byte !== delimiter &&
            byte !== lineFeedByte &&
            !(byte === carriageReturnByte && (bareReturns || isBreak(bytes, at)))
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
          if (byte === delimiter || byte === lineFeedByte) break;
          if (byte === carriageReturnByte && (bareReturns || isBreak(bytes, at))) break;
          isEscaped = true;
          if (byte === 0) hasNul = true;
          to = writeEscape(target, to, byte);
          byte = bytes[++at] as number;
        }
        target[to++] = quoteByte;
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
        else if (byte === lineFeedByte) at += 1;
        else if (bytes[at + 1] === lineFeedByte && at + 1 < end) at += 2;
        else at = behindBreak(bytes, at, end, { bareReturns, isLast: rest === 'last' });
        break;
      }
      target[to++] = 0x5d;

      let verdict: Verdict = 'row';
      if (isMalformed || at < 0) {
        // A block may end in a row; at -1 there is more to come for it, and at 'full' no room.
        if (!isMalformed && (rest === 'more' || at === -1)) return from;
        const broken = { begin, seen: isMalformed ? at : end, end, lineBreaks };
        verdict = judge.ofBroken(bytes, broken, rest === 'last', this.placeOf(from - start));
      } else if (lineBreaks > 0) {
        const lines = judge.plainRowsIn(bytes, begin, at, cells);
        if (lines > 0) {
          const place = this.placeOf(from - start);
          verdict = judge.ofLines(bytes, begin, at, { lines, cells, place });
        }
      }
      if (verdict !== 'row') {
        if (verdict === 'wait') return from;
        if (verdict === 'again') continue;
        this.row += 1;
        rows.reject(this.row, `${verdict.reject} (line ${this.line})`);
        this.line += 1;
        from = verdict.next;
        continue;
      }
      if (at - from > rows.limits.rowBytes) throw rowTooLong(rows.limits.rowBytes);
      if (!sink.fits(to, maxCustomIdBytes)) continue;
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
            ? nulByteProblem
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

  private placeOf(from: number): Place {
    return { row: this.row + 1, line: this.line, offset: this.offset + from };
  }
}
