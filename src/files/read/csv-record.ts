/** One record of a CSV file as strings: for the header and for guessing, where speed does not matter. */
const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface CsvRecord {
  cells: string[];
  /** Where the next record begins. */
  next: number;
  /** Lines that it takes. */
  lines: number;
  /** False when something follows a closing quote. */
  wellFormed: boolean;
}

/** The record that begins at `start`; null when its end is not there. `isLast`: nothing follows bytes[start, end), which may then be its end. */
export function readCsvRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  { delimiter, isLast }: { delimiter: number; isLast: boolean },
): CsvRecord | null {
  const cells: string[] = [];
  let lines = 1;
  let wellFormed = true;
  let at = start;
  for (;;) {
    const cell: number[] = [];
    if (at < end && bytes[at] === QUOTE) {
      at += 1;
      for (;;) {
        if (at >= end) return null;
        const byte = bytes[at] as number;
        at += 1;
        if (byte === QUOTE) {
          if (at >= end && !isLast) return null;
          if (at >= end || bytes[at] !== QUOTE) break;
          at += 1;
        } else if (byte === LINE_FEED) lines += 1;
        cell.push(byte);
      }
      if (at < end && !endsCell(bytes[at] as number, delimiter)) wellFormed = false;
    }
    while (at < end && !endsCell(bytes[at] as number, delimiter)) {
      cell.push(bytes[at] as number);
      at += 1;
    }
    cells.push(Buffer.from(cell).toString());
    if (at >= end) return isLast ? { cells, next: end, lines, wellFormed } : null;
    const byte = bytes[at];
    at += 1;
    if (byte === delimiter) continue;
    if (byte === CARRIAGE_RETURN) {
      if (at >= end && !isLast) return null;
      if (at < end && bytes[at] === LINE_FEED) at += 1;
    }
    return { cells, next: at, lines, wellFormed };
  }
}

function endsCell(byte: number, delimiter: number): boolean {
  return byte === delimiter || byte === LINE_FEED || byte === CARRIAGE_RETURN;
}
