/** The items of which the prompts are counted, read a little at a time. */
import type { Sql } from '../../db/driver/client.ts';
import { readRowsAt } from '../../db/file-rows.ts';
import { decodeRow } from '../../files/decoded-row.ts';
import type { RowFile } from '../../files/row.ts';
import type { PromptItem } from '../../operations/operation.ts';
import { sampleIndexes } from './sample.ts';

const rowsAtOnce = 200;
/** Most bytes of text, in all. What is read by then is the sample. */
const maxBytes = 4 * 1_048_576;

export interface SampledFile {
  fileKey: bigint;
  file: RowFile;
  /** The same one gives the same rows. */
  seed: string;
  total: number;
  size: number;
}

export async function* readSample(
  sql: Sql,
  { fileKey, file, seed, total, size }: SampledFile,
): AsyncGenerator<PromptItem[]> {
  const indexes = sampleIndexes(seed, total, size);
  let bytesLeft = maxBytes;
  for (let at = 0; at < indexes.length && bytesLeft > 0; at += rowsAtOnce) {
    const some = indexes.slice(at, at + rowsAtOnce);
    const rows = await readRowsAt(sql, fileKey, { indexes: some, maxBytes: bytesLeft });
    yield rows.map((row) => decodeRow(file, row));
    if (rows.length < some.length) return;
    bytesLeft -= rows.at(-1)?.bytesSoFar ?? 0;
  }
}

/** The same of items that are at hand. */
export async function* sampleItems(
  items: readonly PromptItem[],
  { seed, size }: { seed: string; size: number },
): AsyncGenerator<PromptItem[]> {
  let bytesLeft = maxBytes;
  for (const index of sampleIndexes(seed, items.length, size)) {
    const item = items[index];
    if (!item || bytesLeft <= 0) return;
    yield [item];
    bytesLeft -= item.content.length + (item.request ? JSON.stringify(item.request).length : 0);
  }
}
