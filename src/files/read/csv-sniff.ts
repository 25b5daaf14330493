/** Whether text that nobody says anything about is CSV. Prose has commas too, so that in doubt it is not. */
import { guessDelimiter } from './csv-delimiter.ts';
import { type CsvRecord, readCsvRecord } from './csv-record.ts';

const TAB = 0x09;
const lookedAt = 100;
/** A row that is broken is rejected later; too many of them, and these are no rows. */
const minAgreement = 0.9;
const maxNameLength = 64;
const maxNameWords = 4;

/**
 * True when the first record is a header (names, all different, none of which comes again in its column) and the others have as many cells. Without a
 * header the first row would be lost.
 */
export function looksLikeCsv(head: Uint8Array, isWhole: boolean): boolean {
  const { delimiter, columns } = guessDelimiter(head, head.length, isWhole);
  if (columns < 2) return false;
  const records = firstRecords(head, delimiter, isWhole);
  const [header, ...rows] = records;
  if (!header?.wellFormed || rows.length === 0) return false;
  const whole = rows.filter(({ cells }) => cells.length === columns);
  if (whole.length < rows.length * minAgreement) return false;
  const names = header.cells;
  if (new Set(names).size < columns || !names.every(isName)) return false;
  if (whole.some(({ cells }) => cells.some((cell, at) => cell === names[at]))) return false;
  // In prose a blank follows a comma. So it does in some tables, which have a column of numbers to show for it.
  return names.every((name) => name === name.trim()) || hasNumbers(whole, columns);
}

/** The same for a table whose cells are separated by tabs, which prose hardly has. */
export function looksLikeTabs(head: Uint8Array, isWhole: boolean): boolean {
  const { delimiter } = guessDelimiter(head, head.length, isWhole);
  return delimiter === TAB && looksLikeCsv(head, isWhole);
}

function firstRecords(head: Uint8Array, delimiter: number, isLast: boolean): CsvRecord[] {
  const records: CsvRecord[] = [];
  for (let at = 0; at < head.length && records.length < lookedAt; ) {
    const record = readCsvRecord(head, at, head.length, { delimiter, isLast });
    if (!record) break;
    if (record.cells.length > 1 || record.cells[0] !== '') records.push(record);
    at = record.next;
  }
  return records;
}

/** A few words that begin with a letter, and are no sentence. */
function isName(cell: string): boolean {
  const name = cell.trim();
  return (
    name.length <= maxNameLength &&
    /^[\p{L}_$#@%(]/u.test(name) &&
    !/[.!?…:;,'"\n]$/u.test(name) &&
    name.split(/\s+/).length <= maxNameWords
  );
}

function hasNumbers(rows: readonly CsvRecord[], columns: number): boolean {
  return Array.from({ length: columns }, (_, at) => at).some((at) =>
    rows.every(({ cells }) => /^\s*[-+]?\d[\d.,:/-]*\s*$/.test(cells[at] ?? '')),
  );
}
