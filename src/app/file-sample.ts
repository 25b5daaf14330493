/** Rows drawn from a whole file, to look at and to try an operation on. */
import type { PlaceInPage } from '../db/bytes.ts';
import type { Sql } from '../db/driver/client.ts';
import { readRowsAt, type StoredRow } from '../db/file-rows.ts';
import type { FileRecord } from '../db/files.ts';
import { sampleIndexes } from '../engine/quote/sample.ts';

/**
 * Up to `size` rows in the order of the file, the same ones for the same seed; all rows where there
 * are no more. Cut behind `maxBytes` of text, but with one row at least.
 */
export async function readFileSample(
  sql: Sql,
  { key, id, itemCount }: Pick<FileRecord, 'key' | 'id' | 'itemCount'>,
  { seed, size, maxBytes }: { seed: number; size: number; maxBytes: number },
): Promise<(StoredRow & PlaceInPage)[]> {
  const indexes = sampleIndexes(`${id} ${seed}`, itemCount, size).sort((a, b) => a - b);
  return await readRowsAt(sql, key, { indexes, maxBytes });
}
