/**
 * The judgement on a row whose quotes do not fit, and on one that may have taken others with it.
 */
import { areNumbered, countPlainRows, lineEnd, type PlainRules, plainCells } from './csv-lines.ts';
import type { Quoting } from './csv-quoting.ts';
import type { CellRules } from './csv-record.ts';
import type { Rows } from './rows.ts';
import { UnreadableFile } from './unreadable.ts';

/**
 * `row`: it is one. `again`: quotes are text from here on. `wait`: its first line has no end yet.
 * Else why that is rejected, and where the next begins.
 */
export type Verdict = 'row' | 'again' | 'wait' | { reject: string; next: number };

/** Where a row stands. */
export interface Place {
  /** Its number, and its first line's. */
  row: number;
  line: number;
  /** Bytes of the file before it. */
  offset: number;
}

/** A row whose quotes do not fit. */
export interface BrokenRow {
  begin: number;
  /** Where that was found: at `end`, where the bytes at hand end, when a quote never closes. */
  seen: number;
  end: number;
  /** Line breaks in its quotes, up to there. */
  lineBreaks: number;
}

/** Lines times delimiters of which chance explains no more that all are as in the header. */
const suspiciousDelimiters = 2;
/**
 * A row of so many lines that each could be a row has taken them, when its own cells are no row.
 */
const suspiciousLines = 4;
/**
 * Rows that may be as long as they can be and still be read twice, in addition to once all that
 * came.
 */
const longRowsInVain = 2;

export class QuoteJudge {
  quoting: Quoting;
  private readonly rows: Rows;
  private rules: PlainRules = { delimiter: 0, width: 0, bareReturns: false };
  private bytesInVain = 0;
  /** Rows of several lines, and those of which each could be a row; the first of these. */
  private several = 0;
  private doubtful = 0;
  private firstDoubt = '';

  constructor(rows: Rows, quoting: Quoting) {
    this.rows = rows;
    this.quoting = quoting;
  }

  /** Takes note of the header. */
  begin(width: number, rules: CellRules): void {
    this.rules = { delimiter: rules.delimiter, width, bareReturns: rules.bareReturns };
  }

  /** The number of lines of a row of several, bytes[start, end), if each could be a row; else 0. */
  plainRowsIn(bytes: Uint8Array, start: number, end: number, cells: number): number {
    const { width } = this.rules;
    if (width < 2 || this.quoting === 'said') return 0;
    this.several += 1;
    const lines = countPlainRows(bytes, start, end, this.rules);
    // A cell with line breaks that is none but for its quotes.
    if (lines === 0 && cells === width && this.quoting === 'open') this.quoting = 'on';
    return lines;
  }

  /** Judges a row of so many lines, bytes[start, end), each of which could be a row by itself. */
  ofLines(
    bytes: Uint8Array,
    start: number,
    end: number,
    { lines, cells, place }: { lines: number; cells: number; place: Place },
  ): Verdict {
    const { rules } = this;
    const { width } = rules;
    const last = place.line + lines - 1;
    if (this.quoting === 'open') return this.takeAsText(place, end - start, last);
    if ((cells !== width && lines >= suspiciousLines) || areNumbered(bytes, start, end, rules)) {
      this.readInVain(end - start, place);
      return {
        reject: `opens a quote over lines ${place.line} to ${last}, each of which could be a row; quote=" reads them as one row, quote=none reads quotes as text`,
        next: lineEnd(bytes, start, end, { ...rules, isLast: true }),
      };
    }
    if (cells === width && (lines - 1) * (width - 1) >= suspiciousDelimiters) {
      this.doubtful += 1;
      this.firstDoubt ||= `row ${place.row} with lines ${place.line} to ${last}`;
    }
    return 'row';
  }

  /** Warns at the end of the file where half of the cells of several lines could be rows. */
  finish(): void {
    const { several, doubtful, firstDoubt } = this;
    if (doubtful === 0 || doubtful * 2 < several) return;
    this.rows.warn(
      `Quotes hold lines each of which could be a row by its cells, the first is ${firstDoubt}; quote=none reads quotes as text`,
    );
  }

  /** Judges a row whose quotes do not fit by its first line. */
  ofBroken(bytes: Uint8Array, row: BrokenRow, isLast: boolean, place: Place): Verdict {
    const { begin, seen, end, lineBreaks } = row;
    const { width, delimiter, bareReturns } = this.rules;
    const next = lineEnd(bytes, begin, end, { bareReturns, isLast });
    if (next < 0) return 'wait';
    const isRow = width > 1 && plainCells(bytes, begin, next, delimiter) === width;
    if (this.quoting === 'open' && isRow) return this.takeAsText(place, seen - begin, place.line);
    this.readInVain(seen - next, place);
    const reject =
      seen === end
        ? 'has a quoted cell that never ends'
        : lineBreaks === 0
          ? 'has something behind a closing quote'
          : `has a quoted cell that ends in line ${place.line + lineBreaks} with something behind it; quote=none reads quotes as text`;
    return { reject, next };
  }

  private takeAsText({ row, line, offset }: Place, bytes: number, last: number): 'again' {
    this.readInVain(bytes, { row, line, offset });
    this.quoting = 'off';
    const lines = last > line ? `lines ${line} to ${last} are rows` : `line ${line} is a row`;
    this.rows.warn(
      `From row ${row} on quotes were read as text, since ${lines} only so; quote=" reads them as quoting`,
    );
    return 'again';
  }

  /**
   * Bytes that will be read again. Somebody could lay quotes so that each line takes all that
   * follow with it.
   */
  private readInVain(bytes: number, { row, offset }: Place): void {
    this.bytesInVain += Math.max(0, bytes);
    if (this.bytesInVain <= longRowsInVain * this.rows.limits.rowBytes + offset) return;
    throw new UnreadableFile(
      'invalid',
      `Too many quotes of the CSV file do not fit, up to row ${row}; quote=none reads quotes as text`,
    );
  }
}
