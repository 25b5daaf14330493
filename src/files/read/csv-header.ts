import { isUtf8 } from 'node:buffer';
import { quotedName } from '../../core/quoted-name.ts';
import { behindBlankLines } from './blank.ts';
import type { Rest } from './block-reader.ts';
import type { CsvDialect } from './csv-dialect.ts';
import { columnNames } from './csv-names.ts';
import { headerSwallows } from './csv-quoting.ts';
import { type CellRules, isBlankRecord, readFirstRecord } from './csv-record.ts';
import { maxNameBytes } from './limits.ts';
import { behindMarks } from './marks.ts';
import type { Rows } from './rows.ts';
import { encodingProblem, nulByteProblem } from './text-problem.ts';
import { UnreadableFile } from './unreadable.ts';

/** Names that one warning tells of. */
const maxTold = 5;

export interface CsvHeader {
  /** The cells as they came. */
  cells: string[];
  /** The same without what stands around them. */
  names: string[];
  rules: CellRules;
}

/** Reads the beginning of a CSV file: a line of sep=, blank rows, and the header. */
export class CsvHeaderReader {
  /** Null before it is read. */
  header: CsvHeader | null = null;
  /** The line that is read next. */
  line = 1;
  private readonly rows: Rows;
  private readonly dialect: CsvDialect;
  /** Bytes of a first line that is not a header, and has not come yet. */
  private toSkip: number;

  constructor(rows: Rows, dialect: CsvDialect) {
    this.rows = rows;
    this.dialect = dialect;
    this.toSkip = dialect.start;
    if (dialect.start > 0) this.line += 1;
  }

  /** Returns where it got to; -1 before a whole row is there. Throws UnreadableFile. */
  read(bytes: Uint8Array, start: number, end: number, rest: Rest): number {
    if (this.toSkip > 0) {
      const skipped = Math.min(this.toSkip, end - start);
      this.toSkip -= skipped;
      return start + skipped;
    }
    const blank = behindBlankLines(bytes, start, end, rest === 'last');
    this.line += blank.lines;
    if (blank.next > start) return blank.next;
    const found = this.readFirst(bytes, behindMarks(bytes, start, end), end, rest);
    if (found === null) return -1;
    const { record, rules } = found;
    this.line += record.lines;
    if (!isBlankRecord(record)) {
      const names = record.cells.map(trimName);
      warnOfNames(this.rows, record.cells, names);
      this.header = { cells: record.cells, names, rules };
    }
    return record.next;
  }

  /** A header that is wrong cannot be rejected, as a row can. */
  private readFirst(bytes: Uint8Array, start: number, end: number, rest: Rest) {
    const { delimiter, quoting, bareReturns } = this.dialect;
    const isLast = rest === 'last';
    const quotes = quoting !== 'off';
    const first = readFirstRecord(bytes, start, end, {
      delimiter,
      quotes,
      bareReturns,
      isLast,
    });
    if ((first?.record.next ?? end) - start > maxNameBytes) {
      throw refuse(`has more than ${maxNameBytes.toLocaleString('en')} bytes`);
    }
    if (first === null) {
      if (rest === 'more') return null;
      throw refuse('has no end: a quoted name never closes; quote=none reads quotes as text');
    }
    const { cells, next, lines, wellFormed } = first.record;
    const content = bytes.subarray(start, next);
    if (!isUtf8(content)) throw refuse(encodingProblem(content));
    if (content.includes(0)) throw refuse(nulByteProblem);
    if (!wellFormed) {
      throw refuse('has something behind a closing quote; quote=none reads quotes as text');
    }
    if (lines > 1 && quoting !== 'said' && headerSwallows(bytes, start, next, first.rules)) {
      throw refuse(
        `opens a quote over ${lines} lines, each of which could be a row; quote=" reads them as the header, quote=none reads quotes as text`,
      );
    }
    const { columns } = this.rows.limits;
    if (cells.length > columns) {
      throw refuse(`has ${cells.length} columns, ${columns} are allowed`);
    }
    return first;
  }
}

/**
 * Characters that no eye sees, in addition to white space: zero-width blanks and joiners, marks of
 * direction.
 */
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
function warnOfNames(rows: Rows, cells: readonly string[], trimmed: readonly string[]): void {
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
