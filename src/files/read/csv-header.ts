import { isUtf8 } from 'node:buffer';
import type { Rest } from './block-reader.ts';
import { columnNames } from './csv-names.ts';
import { headerSwallows, type Quoting } from './csv-quoting.ts';
import { type CellRules, isBlankLine, readFirstRecord } from './csv-record.ts';
import { quotedName } from './quoted-name.ts';
import type { Rows } from './rows.ts';
import { encodingProblem, nulProblem } from './text-problem.ts';
import { UnreadableFile } from './unreadable.ts';

/** Room for 10,000 names of a hundred characters. */
const maxHeaderBytes = 1_048_576;
/** Names that one warning tells of. */
const maxTold = 5;

/**
 * The first record of a CSV file, which names its columns; null when its end is not there yet, and cells null for a blank line, which is nothing.
 * Throws UnreadableFile for a header that cannot be one: a row that is wrong can be rejected, a header cannot.
 */
export function readCsvHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  options: { delimiter: number; quoting: Quoting; rest: Rest; maxColumns: number },
): { cells: string[] | null; rules: CellRules; next: number; lines: number } | null {
  const { delimiter, quoting, rest, maxColumns } = options;
  const quotes = quoting !== 'off';
  const first = readFirstRecord(bytes, start, end, { delimiter, quotes, isLast: rest === 'last' });
  if ((first?.record.next ?? end) - start > maxHeaderBytes) {
    throw refuse(`has more than ${maxHeaderBytes.toLocaleString('en')} bytes`);
  }
  if (first === null) {
    if (rest === 'more') return null;
    throw refuse('has no end: a quoted name never closes; quote=none reads quotes as text');
  }
  const { record, rules } = first;
  const { cells, next, lines, wellFormed } = record;
  if (isBlankLine(record)) return { cells: null, rules, next, lines };
  const content = bytes.subarray(start, next);
  if (!isUtf8(content)) throw refuse(encodingProblem(content));
  if (content.includes(0)) {
    throw refuse(
      `${nulProblem}; if the file is UTF-16, save it with a byte order mark or as UTF-8`,
    );
  }
  if (!wellFormed) {
    throw refuse('has something behind a closing quote; quote=none reads quotes as text');
  }
  if (lines > 1 && quoting !== 'said' && headerSwallows(bytes, start, next, rules)) {
    throw refuse(
      `opens a quote over ${lines} lines, each of which could be a row; quote=" reads them as the header, quote=none reads quotes as text`,
    );
  }
  if (cells.length > maxColumns) {
    throw refuse(`has ${cells.length} columns, ${maxColumns} are allowed`);
  }
  return { cells, rules, next, lines };
}

/** What no eye sees besides white space: zero-width blanks and joiners, marks of direction. */
const unseen = '\u200b\u200e\u200f\u2060';

/** A header's cell without the blanks and marks around it, which no option would name. */
export function trimName(cell: string): string {
  const isUnseen = (at: number) =>
    cell.charAt(at).trim() === '' || unseen.includes(cell.charAt(at));
  let start = 0;
  let end = cell.length;
  while (start < end && isUnseen(start)) start += 1;
  while (end > start && isUnseen(end - 1)) end -= 1;
  return cell.slice(start, end);
}

/** Tells which columns do not go by what stands in the header. */
export function warnOfNames(
  rows: Rows,
  cells: readonly string[],
  trimmed: readonly string[],
): void {
  const bare = trimmed.filter((name, at) => name !== cells[at] && name !== '');
  if (bare.length > 0) {
    rows.warn(`Blanks around names in the header were taken off: ${listed(bare.map(quotedName))}`);
  }
  const names = columnNames(trimmed);
  const renamed = names.flatMap((name, at) =>
    name === trimmed[at]
      ? []
      : [
          trimmed[at] === ''
            ? `column ${at + 1} has no name and is ${quotedName(name)}`
            : `column ${at + 1}, another ${quotedName(trimmed[at] as string)}, is ${quotedName(name)}`,
        ],
  );
  if (renamed.length > 0) rows.warn(`Columns were given names of their own: ${listed(renamed)}`);
}

function listed(words: readonly string[]): string {
  const more = words.length - maxTold;
  return words.slice(0, maxTold).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function refuse(problem: string): UnreadableFile {
  return new UnreadableFile('invalid', `The header of the CSV file ${problem}`);
}
