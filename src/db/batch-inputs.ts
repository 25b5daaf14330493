/** The files that batches run over, as clients of OpenAI's API are told of them. */
import { inArray } from 'drizzle-orm';
import type { BatchRecord } from './batches.ts';
import type { Builder } from './driver/client.ts';
import type { StoredProblem } from './files.ts';
import { files } from './tables.ts';

export interface BatchInput {
  id: string;
  /** Lines that are not requests: the first, in order. */
  problems: readonly StoredProblem[];
}

/**
 * The input of each batch, by the key of the file: also a file that is not listed, or that its
 * owner deleted.
 */
export async function readBatchInputs(
  { query }: Builder,
  batches: readonly Pick<BatchRecord, 'fileKey'>[],
): Promise<Map<bigint, BatchInput>> {
  const keys = [...new Set(batches.map(({ fileKey }) => fileKey))];
  const found = await query
    .select({ key: files.key, id: files.id, problems: files.problems })
    .from(files)
    .where(inArray(files.key, keys));
  return new Map(
    found.map(({ key, id, problems }) => [
      key,
      { id, problems: JSON.parse(problems) as StoredProblem[] },
    ]),
  );
}
