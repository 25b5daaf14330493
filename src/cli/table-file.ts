/** Cells of the small CSV file that --examples names. */
import { WrongUse } from './failure.ts';

/**
 * The rows with their cells, quoted or not; rows without a cell are left out. RFC 4180, but a quote
 * inside of a bare cell is text. Throws WrongUse where a quoted cell does not end as it must.
 */
export function readTable(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /("(?:[^"]|"")*"|(?!")[^,\r\n]*)(,|\r\n|\n|\r|$)/y;
  const source = text.replace(/^\ufeff/, '');
  while (cell.lastIndex < source.length) {
    const at = cell.lastIndex;
    const found = cell.exec(source);
    if (found === null) {
      const line = source.slice(0, at).split(/\r\n|\n|\r/).length;
      throw new WrongUse(
        `--examples must have a comma or a line's end behind a quoted cell; line ${line} does not`,
      );
    }
    const [, written = '', end = ''] = found;
    row.push(written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written);
    if (end === ',') {
      if (cell.lastIndex === source.length) row.push('');
      else continue;
    }
    if (row.some((one) => one !== '')) rows.push(row);
    row = [];
  }
  return rows;
}
