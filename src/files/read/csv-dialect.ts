/** The form of a CSV file: by what was said about it, else by its first bytes. */
import { commaByte, quoteByte } from './bytes.ts';
import { canDelimit, guessDelimiter, nameOfDelimiter } from './csv-delimiter.ts';
import { breakLength, hasBareReturns } from './csv-lines.ts';
import { guessQuoting, type Quoting } from './csv-quoting.ts';
import type { ReadOptions } from './read-options.ts';

export interface CsvDialect {
  delimiter: number;
  quoting: Quoting;
  /** True: a carriage return ends a line by itself, as in files of old Macs. */
  bareReturns: boolean;
  /** Bytes of a first line `sep=` and the delimiter, as Excel takes it; 0 without one. */
  start: number;
  /** The header's columns, and the share of first rows with as many; 1 and 0 without a guess. */
  columns: number;
  agreement: number;
  /** Guesses that could be otherwise. */
  warnings: string[];
}

/** The dialect of a file with this `head`. `otherwise`: the delimiter where nothing tells. */
export function guessDialect(
  head: Uint8Array,
  isWhole: boolean,
  {
    delimiter: said,
    quote,
    otherwise = commaByte,
  }: Pick<ReadOptions, 'delimiter' | 'quote'> & { otherwise?: number },
): CsvDialect {
  const warnings: string[] = [];
  const sep = readSepLine(head);
  const start = sep?.next ?? 0;
  if (sep) {
    warnings.push(
      said === undefined || said === sep.delimiter
        ? `The first line, sep=, names the delimiter ${nameOfDelimiter(sep.delimiter)} and was skipped; delimiter= names another`
        : `The first line names the delimiter ${nameOfDelimiter(sep.delimiter)}; it was skipped, and delimiter=${nameOfDelimiter(said)} was taken`,
    );
  }
  const known = said ?? sep?.delimiter ?? null;
  const guess =
    known === null
      ? guessDelimiter(head, start, head.length, { isWhole, otherwise })
      : { delimiter: known, columns: 1, agreement: 0, rival: null };
  if (guess.rival !== null) {
    warnings.push(
      `The delimiter was taken to be ${nameOfDelimiter(guess.delimiter)}, though ${nameOfDelimiter(guess.rival)} cuts the first rows as evenly; delimiter= names another`,
    );
  }
  const { quoting, line } = quote
    ? { quoting: quote === 'none' ? ('off' as const) : ('said' as const), line: null }
    : guessQuoting(head, start, head.length, { delimiter: guess.delimiter, isWhole });
  if (quoting === 'off' && line !== null) {
    warnings.push(
      `Quotes were read as text, since the lines are rows only so (the first is line ${line}); quote=" reads them as quoting`,
    );
  }
  const { columns, agreement } = guess;
  return {
    delimiter: guess.delimiter,
    quoting,
    bareReturns: hasBareReturns(head, start, head.length),
    start,
    columns,
    agreement,
    warnings,
  };
}

/**
 * The delimiter that a first line of exactly `sep=` and one character names, and where the next
 * line begins; null without such a line.
 */
function readSepLine(head: Uint8Array): { delimiter: number; next: number } | null {
  const start = head[0] === quoteByte ? 1 : 0;
  const word = Buffer.from(head.subarray(start, start + 4)).toString('latin1');
  if (word.toLowerCase() !== 'sep=') return null;
  const delimiter = head[start + 4] ?? 0;
  let at = start + 5;
  if (start === 1) {
    if (head[at] !== quoteByte) return null;
    at += 1;
  }
  const length = breakLength(head, at, head.length, { bareReturns: true, isLast: true });
  if (length === 0 || !canDelimit(delimiter)) return null;
  return { delimiter, next: at + length };
}
