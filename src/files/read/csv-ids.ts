import type { CsvDialect } from './csv-dialect.ts';
import { sampleRecords } from './csv-sample.ts';
import { canBeId } from './custom-ids.ts';

/** Rows that are looked at before a column that is called id is believed to have none. */
const sampledRows = 100;

/** True where one of the first rows of a CSV file has a custom id in a column. */
export function hasIds(
  head: Uint8Array,
  {
    delimiter,
    quoting,
    start,
    isWhole,
    column,
  }: Pick<CsvDialect, 'delimiter' | 'quoting' | 'start'> & { isWhole: boolean; column: number },
): boolean {
  const [header, ...rows] = sampleRecords(head, start, head.length, {
    delimiter,
    quotes: quoting !== 'off',
    isWhole,
    max: sampledRows + 1,
  }).records;
  return rows.some(
    ({ cells }) => cells.length === header?.cells.length && canBeId(cells[column] ?? ''),
  );
}
