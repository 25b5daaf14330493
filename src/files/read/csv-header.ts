import { isUtf8 } from 'node:buffer';
import type { Rest } from './block-reader.ts';
import { readCsvRecord } from './csv-record.ts';
import { encodingProblem, nulProblem } from './text-problem.ts';
import { UnreadableFile } from './unreadable.ts';

/** Room for 10,000 names of a hundred characters. */
const maxHeaderBytes = 1_048_576;

/**
 * The first record of a CSV file, which names its columns; null when its end is not there yet, and cells null for a blank line, which is nothing.
 * Throws UnreadableFile for a header that cannot be one: a row that is wrong can be rejected, a header cannot.
 */
export function readCsvHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  { delimiter, rest, maxColumns }: { delimiter: number; rest: Rest; maxColumns: number },
): { cells: string[] | null; next: number; lines: number } | null {
  const record = readCsvRecord(bytes, start, end, { delimiter, isLast: rest === 'last' });
  if ((record?.next ?? end) - start > maxHeaderBytes) {
    throw refuse(`has more than ${maxHeaderBytes.toLocaleString('en')} bytes`);
  }
  if (record === null) {
    if (rest === 'more') return null;
    throw refuse('has no end: a quoted name never closes');
  }
  const { cells, next, lines, wellFormed } = record;
  if (cells.length === 1 && cells[0] === '') return { cells: null, next, lines };
  const content = bytes.subarray(start, next);
  if (!isUtf8(content)) throw refuse(encodingProblem(content));
  if (content.includes(0)) {
    throw refuse(
      `${nulProblem}; if the file is UTF-16, save it with a byte order mark or as UTF-8`,
    );
  }
  if (!wellFormed) throw refuse('has something behind a closing quote');
  if (cells.length > maxColumns) {
    throw refuse(`has ${cells.length} columns, ${maxColumns} are allowed`);
  }
  return { cells, next, lines };
}

function refuse(problem: string): UnreadableFile {
  return new UnreadableFile('invalid', `The header of the CSV file ${problem}`);
}
