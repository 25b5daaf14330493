import { randomUUID } from 'node:crypto';
import type { Sql } from '../../src/db/driver/client.ts';
import { insertFileBatch } from '../../src/db/file-batches.ts';

/** A batch of `label` over a file, as a submit leaves it. Returns its key. */
export async function insertBatchOf(
  sql: Sql,
  fileId: string,
  batch: {
    categories: readonly string[];
    status: 'DRAFT' | 'QUEUED';
    deduplicate: boolean;
    previewItems?: number;
  },
): Promise<bigint> {
  const { categories, status, deduplicate, previewItems = null } = batch;
  const { result: key } = await insertFileBatch(sql, {
    fileId,
    id: `batch_${randomUUID()}`,
    owner: 'local',
    operation: 'label',
    options: JSON.stringify({ categories }),
    model: 'instant/model',
    status,
    name: null,
    metadata: null,
    idempotencyKey: null,
    inputHash: '',
    optionsHash: Buffer.alloc(16),
    expiresInSeconds: 86_400,
    webhookUrl: null,
    customIdPrefix: null,
    execution: 'LIVE',
    rescue: false,
    deduplicate,
    maxCostUsd: null,
    previewItems,
    contentField: null,
    customIdField: null,
    chunkSize: 100,
  });
  if (typeof key === 'string') throw new Error(key);
  return key;
}
