/** One record of a CSV file as strings: for the header and for guessing, where speed does not matter. */
import { BLANK, breakLength, CARRIAGE_RETURN, LINE_FEED, lineEnd, QUOTE } from './csv-lines.ts';

/** How the bytes of a table are cut into cells. */
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
  /** False when something follows a closing quote; the record is its first line then, without cells. */
  wellFormed: boolean;
  /** True when a cell is quoted. */
  quoted: boolean;
  /** Delimiters that have a blank behind them. */
  blanks: number;
  /** True when it ends in a carriage return alone. */
  bareReturn: boolean;
  /** Where reading stopped: behind `next` in what is not well formed. */
  seen: number;
}

/** The record that begins at `start`; null when its end is not there. `isLast`: nothing follows bytes[start, end), which may then be its end. */
export function readCsvRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  { delimiter, quotes, spaced, bareReturns, isLast }: CellRules & { isLast: boolean },
): CsvRecord | null {
  const lineRules = { bareReturns, isLast };
  const lineBreak = bareReturns ? CARRIAGE_RETURN : LINE_FEED;
  const endsCell = (at: number) =>
    bytes[at] === delimiter || breakLength(bytes, at, end, lineRules) !== 0;
  const record = { cells: [] as string[], lines: 1, wellFormed: true, quoted: false, blanks: 0 };
  let at = start;
  for (;;) {
    const cell: number[] = [];
    if (at < end && bytes[at] === BLANK && record.cells.length > 0) record.blanks += 1;
    const opening = spaced ? behindBlanks(bytes, at, end) : at;
    if (quotes && opening < end && bytes[opening] === QUOTE) {
      record.quoted = true;
      at = opening + 1;
      for (;;) {
        if (at >= end) return null;
        const byte = bytes[at] as number;
        at += 1;
        if (byte === QUOTE) {
          if (at >= end && !isLast) return null;
          if (at >= end || bytes[at] !== QUOTE) break;
          at += 1;
        } else if (byte === lineBreak) record.lines += 1;
        cell.push(byte);
      }
      if (spaced) at = behindBlanks(bytes, at, end);
      if (at < end && !endsCell(at)) {
        const next = lineEnd(bytes, start, end, lineRules);
        if (next < 0) return null;
        const { quoted, blanks } = record;
        return {
          cells: [],
          lines: 1,
          wellFormed: false,
          quoted,
          blanks,
          bareReturn: false,
          next,
          seen: at,
        };
      }
    }
    while (at < end && !endsCell(at)) {
      cell.push(bytes[at] as number);
      at += 1;
    }
    record.cells.push(Buffer.from(cell).toString());
    if (at < end && bytes[at] === delimiter) {
      at += 1;
      continue;
    }
    const length = at < end ? breakLength(bytes, at, end, lineRules) : isLast ? 0 : -1;
    if (length < 0) return null;
    const bareReturn = length === 1 && bytes[at] === CARRIAGE_RETURN;
    return { ...record, next: at + length, bareReturn, seen: at + length };
  }
}

/**
 * The first record of a table, which says by itself how the others are cut: by a blank behind each delimiter, and
 * by the line break that it ends in.
 */
export function readFirstRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  { delimiter, quotes, isLast }: { delimiter: number; quotes: boolean; isLast: boolean },
): { record: CsvRecord; rules: CellRules } | null {
  const read = (spaced: boolean, bareReturns: boolean) =>
    readCsvRecord(bytes, start, end, { delimiter, quotes, spaced, bareReturns, isLast });
  const cut = delimiter === BLANK ? null : read(true, true);
  const spaced = cut !== null && cut.cells.length > 1 && cut.blanks === cut.cells.length - 1;
  const first = spaced ? cut : read(false, true);
  // Read again where it ends in a line feed: the lines of its quoted cells do so too.
  const record = first === null || first.bareReturn ? first : read(spaced, false);
  if (record === null) return null;
  return { record, rules: { delimiter, quotes, spaced, bareReturns: record.bareReturn } };
}

function behindBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] === BLANK) at += 1;
  return at;
}

/** True for a record of blank cells alone. */
export function isBlankRecord({ cells, wellFormed }: CsvRecord): boolean {
  return wellFormed && cells.every((cell) => cell.trim() === '');
}

/** True for a line without cells: before a header it is nothing. */
export function isBlankLine(record: CsvRecord): boolean {
  return record.cells.length === 1 && isBlankRecord(record);
}
