/** Cells of a small CSV file, such as examples are given in. */

/** The rows with their cells, quoted or not; rows without a cell are left out. RFC 4180. */
export function readTable(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r|$)/y;
  const source = text.replace(/^\ufeff/, '');
  while (cell.lastIndex < source.length) {
    const at = cell.lastIndex;
    const [, written = '', end = ''] = cell.exec(source) ?? [];
    if (cell.lastIndex <= at) break; // a quote inside of a bare cell
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
