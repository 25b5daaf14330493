/** One record of a CSV file as strings: for the header and for guessing, not for speed. */

import { blankByte, carriageReturnByte, lineFeedByte, quoteByte } from './bytes.ts';
import { breakLength, lineEnd } from './csv-lines.ts';

/** Rules by which the bytes of a table are cut into cells. */
export interface CellRules {
  delimiter: number;
  /** False: a quote is text like any other. */
  quotes: boolean;
  /** True: blanks follow the delimiters, and a quote behind them opens a quoted cell. */
  spaced: boolean;
  /** True: a carriage return ends a line by itself. */
  bareReturns: boolean;
}

export interface CsvRecord {
  cells: string[];
  /** Where the next record begins. */
  next: number;
  /** Lines that it takes. */
  lines: number;
  /** False when something follows a closing quote: the record is its first line, without cells. */
  wellFormed: boolean;
  /** True when a cell is quoted. */
  quoted: boolean;
  /** Delimiters that have a blank behind them. */
  blanks: number;
  /** Where reading stopped: behind `next` in what is not well formed. */
  seen: number;
}

/**
 * The record that begins at `start`; null when its end is not there. `isLast`: nothing follows
 * bytes[start, end), which may then be its end.
 */
export function readCsvRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  { delimiter, quotes, spaced, bareReturns, isLast }: CellRules & { isLast: boolean },
): CsvRecord | null {
  const lineRules = { bareReturns, isLast };
  const lineBreak = bareReturns ? carriageReturnByte : lineFeedByte;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const endsCell = (at: number) => {
    const byte = bytes[at];
    if (byte === delimiter || byte === lineFeedByte) return true;
    return byte === carriageReturnByte && breakLength(bytes, at, end, lineRules) !== 0;
  };
  const cells: string[] = [];
  let lines = 1;
  let blanks = 0;
  let quoted = false;
  let at = start;
  for (;;) {
    let cell = '';
    if (bytes[at] === blankByte && at < end && cells.length > 0) blanks += 1;
    const opening = spaced ? behindBlanks(bytes, at, end) : at;
    if (quotes && opening < end && bytes[opening] === quoteByte) {
      quoted = true;
      at = opening + 1;
      for (let from = at; ; ) {
        if (at >= end) return null;
        const byte = bytes[at] as number;
        at += 1;
        if (byte === lineBreak) lines += 1;
        if (byte !== quoteByte) continue;
        if (at >= end && !isLast) return null;
        const isDoubled = at < end && bytes[at] === quoteByte;
        cell += text.toString('utf8', from, isDoubled ? at : at - 1);
        if (!isDoubled) break;
        at += 1;
        from = at;
      }
      if (spaced) at = behindBlanks(bytes, at, end);
      if (at < end && !endsCell(at)) {
        const next = lineEnd(bytes, start, end, lineRules);
        return next < 0 ? null : brokenRecord(next, at);
      }
    }
    const from = at;
    while (at < end && !endsCell(at)) at += 1;
    if (at > from) cell += text.toString('utf8', from, at);
    cells.push(cell);
    if (at < end && bytes[at] === delimiter) {
      at += 1;
      continue;
    }
    const length = at < end ? breakLength(bytes, at, end, lineRules) : isLast ? 0 : -1;
    if (length < 0) return null;
    const next = at + length;
    return { cells, next, lines, wellFormed: true, quoted, blanks, seen: next };
  }
}

/** The first line of a record whose quotes do not fit, which was found at `seen`. */
export function brokenRecord(next: number, seen: number): CsvRecord {
  return {
    cells: [],
    next,
    lines: 1,
    wellFormed: false,
    quoted: true,
    blanks: 0,
    seen,
  };
}

/** The first record of a table, whose blanks say how the others are cut. */
export function readFirstRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  options: Omit<CellRules, 'spaced'> & { isLast: boolean },
): { record: CsvRecord; rules: CellRules } | null {
  const { delimiter, quotes, bareReturns } = options;
  const cut =
    delimiter === blankByte ? null : readCsvRecord(bytes, start, end, { ...options, spaced: true });
  const spaced = cut !== null && cut.cells.length > 1 && cut.blanks === cut.cells.length - 1;
  const record = spaced ? cut : readCsvRecord(bytes, start, end, { ...options, spaced });
  return record && { record, rules: { delimiter, quotes, spaced, bareReturns } };
}

function behindBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === blankByte) at += 1;
  return at;
}

/** True for a record of blank cells alone. */
export function isBlankRecord({ cells, wellFormed }: CsvRecord): boolean {
  return wellFormed && cells.every((cell) => cell.trim() === '');
}
