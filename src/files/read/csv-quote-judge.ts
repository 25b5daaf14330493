/** What becomes of a row whose quotes do not fit, and of one that may have taken others with it. */
import { areNumbered, countPlainRows, type PlainRules, plainCells } from './csv-lines.ts';
import type { Quoting } from './csv-quoting.ts';
import type { CellRules } from './csv-record.ts';
import type { Rows } from './rows.ts';
import { UnreadableFile } from './unreadable.ts';

/** `row`: it is one. `again`: quotes are text from here on. Else why its first line is rejected; the next is read then. */
export type Verdict = 'row' | 'again' | { reject: string };

/** Where a row stands. */
export interface Place {
  /** Its number, and its first line's. */
  row: number;
  line: number;
  /** Bytes of the file before it. */
  offset: number;
}

/** Lines times delimiters of which chance explains no more that all are as in the header. */
const suspiciousDelimiters = 3;
/** A row of so many lines that each could be a row has taken them, when its own cells are no row. */
const suspiciousLines = 4;
/** Rows that may be as long as they can be and still be read twice, besides once all that came. */
const longRowsInVain = 2;

export class QuoteJudge {
  quoting: Quoting;
  private readonly rows: Rows;
  private rules: PlainRules = { delimiter: 0, width: 0, bareReturns: false };
  private bytesInVain = 0;
  private hasWarned = false;

  constructor(rows: Rows, quoting: Quoting) {
    this.rows = rows;
    this.quoting = quoting;
  }

  /** Takes note of the header. */
  begin(width: number, rules: CellRules): void {
    this.rules = { delimiter: rules.delimiter, width, bareReturns: rules.bareReturns };
  }

  /** The number of lines of a row of several, bytes[start, end), if each could be a row by itself, else 0. */
  plainRowsIn(bytes: Uint8Array, start: number, end: number, cells: number): number {
    const { width } = this.rules;
    if (width < 2 || this.quoting === 'said') return 0;
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
      };
    }
    if (cells === width && !this.hasWarned && (lines - 1) * (width - 1) >= suspiciousDelimiters) {
      this.hasWarned = true;
      this.rows.warn(
        `Row ${place.row} has lines ${place.line} to ${last} in quotes, each of which could be a row by its cells; quote=none reads quotes as text`,
      );
    }
    return 'row';
  }

  /** Judges a row whose quotes do not fit by its first line, bytes[start, end). `seen` is where that was found. */
  ofBroken(
    bytes: Uint8Array,
    start: number,
    end: number,
    { seen, reason, place }: { seen: number; reason: string; place: Place },
  ): Verdict {
    const { width, delimiter } = this.rules;
    const isRow = width > 1 && plainCells(bytes, start, end, delimiter) === width;
    if (this.quoting === 'open' && isRow) return this.takeAsText(place, seen - start, place.line);
    this.readInVain(seen - end, place);
    return { reject: reason };
  }

  private takeAsText({ row, line, offset }: Place, bytes: number, last: number): Verdict {
    this.readInVain(bytes, { row, line, offset });
    this.quoting = 'off';
    const lines = last > line ? `lines ${line} to ${last} are rows` : `line ${line} is a row`;
    this.rows.warn(
      `From row ${row} on quotes were read as text, since ${lines} only so; quote=" reads them as quoting`,
    );
    return 'again';
  }

  /** Bytes that will be read again. Somebody could lay quotes so that each line takes all that follow with it. */
  private readInVain(bytes: number, { row, offset }: Place): void {
    this.bytesInVain += Math.max(0, bytes);
    if (this.bytesInVain <= longRowsInVain * this.rows.limits.rowBytes + offset) return;
    throw new UnreadableFile(
      'invalid',
      `Too many quotes of the CSV file do not fit, up to row ${row}; quote=none reads quotes as text`,
    );
  }
}
