import { readCsvRecord } from './csv-record.ts';

const candidates = [...',;\t|'].map((one) => one.charCodeAt(0));
const sampledRecords = 100;

/**
 * The delimiter of a CSV file that begins with head[0, end): the one that cuts the most of the first records into as many cells as the
 * header, and of those the one that makes the most cells; a comma when none cuts the header. `isWhole`: the head is the whole file.
 */
export function guessDelimiter(
  head: Uint8Array,
  end: number,
  isWhole: boolean,
): { delimiter: number; columns: number; agreement: number } {
  let best = { delimiter: candidates[0] as number, columns: 1, agreement: 0 };
  for (const delimiter of candidates) {
    const counts: number[] = [];
    for (let at = 0; at < end && counts.length < sampledRecords; ) {
      const record = readCsvRecord(head, at, end, { delimiter, isLast: isWhole });
      if (!record) break;
      if (record.cells.length > 1 || record.cells[0] !== '') counts.push(record.cells.length);
      at = record.next;
    }
    const columns = counts[0] ?? 1;
    if (columns < 2) continue;
    const agreement = counts.filter((count) => count === columns).length / counts.length;
    if (agreement > best.agreement || (agreement === best.agreement && columns > best.columns)) {
      best = { delimiter, columns, agreement };
    }
  }
  return best;
}
