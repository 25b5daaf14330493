/** The signs of CSV in text of an unknown kind. Prose has commas too: in doubt it is not. */

import { isDeepStrictEqual } from 'node:util';
import { tabByte } from './bytes.ts';
import { type CsvDialect, guessDialect } from './csv-dialect.ts';
import type { CsvRecord } from './csv-record.ts';
import { sampleRecords } from './csv-sample.ts';

const lookedAt = 100;
/** A row that is broken is rejected later; too many of them, and these are no rows. */
const minAgreement = 0.9;
const maxNameLength = 64;
const maxNameWords = 4;

/** True where text looks like a table. */
export function looksLikeCsv(head: Uint8Array, isWhole: boolean): boolean {
  return isTable(head, isWhole, guessDialect(head, isWhole, {}));
}

/** The same where the delimiter is given, or is the tab, which prose hardly has. */
export function looksLikeTabs(head: Uint8Array, isWhole: boolean): boolean {
  const dialect = guessDialect(head, isWhole, {});
  // Nobody writes sep= for anything else.
  return dialect.start > 0 || (dialect.delimiter === tabByte && isTable(head, isWhole, dialect));
}

/**
 * True when the first record is a header (names, all different, none of which comes again in its
 * column) and the others have as many cells. Without a header the first row would be lost.
 */
function isTable(head: Uint8Array, isWhole: boolean, dialect: CsvDialect): boolean {
  const { delimiter, columns, quoting, start } = dialect;
  if (start > 0) return true;
  if (columns < 2) return false;
  const quotes = quoting !== 'off';
  const options = { delimiter, quotes, isWhole, max: lookedAt };
  const [header, ...rest] = sampleRecords(head, 0, head.length, options).records;
  if (!header?.wellFormed) return false;
  const names = header.cells;
  // Files that were put together have the header again. A quote that never ends says nothing about
  // the table.
  const rows = rest.filter(
    ({ cells, wellFormed, seen }) =>
      !isDeepStrictEqual(cells, names) && (wellFormed || seen < head.length),
  );
  const whole = rows.filter(({ cells }) => cells.length === columns);
  if (rows.length === 0 || whole.length < rows.length * minAgreement) return false;
  if (new Set(names).size < columns || !names.every(isName)) return false;
  if (whole.some(({ cells }) => cells.some((cell, at) => cell === names[at]))) return false;
  // In prose a blank follows a comma. So it does in some tables, which have a column of numbers to
  // show for it.
  return names.every((name) => name === name.trim()) || hasNumbers(whole, columns);
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
