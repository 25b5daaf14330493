/** Batches as the APIs of other vendors list and name them. */
import { parseBatchId } from '../core/ids.ts';
import { type BatchRecord, listBatches, readBatch, readBatchPlace } from '../db/batches.ts';
import type { Database } from '../db/driver/client.ts';

/** Most bytes of options and metadata, which batches of other ways in may have much of. */
const maxPageBytes = 16_777_216;

/** The batch of an id in any of its spellings; null where the owner has none. */
export async function findBatch(
  db: Database,
  owner: string,
  id: string,
): Promise<BatchRecord | null> {
  const batchId = parseBatchId(id);
  return batchId === null ? null : await readBatch(db, owner, batchId);
}

/** Where the batch of an id stands in the list; null where the owner has none. */
export async function findBatchPlace(
  db: Database,
  owner: string,
  id: string,
): Promise<bigint | null> {
  const batchId = parseBatchId(id);
  return batchId === null ? null : await readBatchPlace(db, owner, batchId);
}

export interface BatchPage {
  /** The newest first; with `inverted` the oldest first. */
  batches: BatchRecord[];
  hasMore: boolean;
}

/** Up to `limit` batches of an owner, behind one place and before another. */
export async function readBatchPage(
  db: Database,
  owner: string,
  page: {
    limit: number;
    afterKey?: bigint | undefined;
    beforeKey?: bigint | undefined;
    inverted?: boolean;
  },
): Promise<BatchPage> {
  const { limit, inverted = false, ...places } = page;
  const range = { ...places, inverted, limit: limit + 1, maxBytes: maxPageBytes };
  const found = await listBatches(db, owner, {}, range);
  const batches = found.slice(0, limit);
  return { batches, hasMore: (found[0]?.rowsOfPage ?? 0) > batches.length };
}
