/** Facts on a batch for those who answer its items. */
import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { BatchRecord } from './batches.ts';
import type { Builder } from './driver/client.ts';
import { type FileRecord, fileColumns } from './files.ts';
import { running } from './guards.ts';
import { batches, files } from './tables.ts';

/** Facts on a batch that a worker needs to run its items. */
export type BatchPlan = Pick<
  BatchRecord,
  | 'key'
  | 'id'
  | 'owner'
  | 'fileKey'
  | 'operation'
  | 'options'
  | 'model'
  | 'twins'
  | 'total'
  | 'promptCaching'
  | 'maxCostUsd'
  | 'traceparent'
> & {
  file: FileRecord;
  /** Its rest waits until its preview is over, and it is resumed. */
  isInPreview: boolean;
  reading: Pick<BatchRecord, 'contentField' | 'customIdField' | 'customIdPrefix'>;
};

/**
 * Null where there is nothing to run: paused, being ended, ended, or gone. `whatever`: also then,
 * for what has to be brought to its end.
 */
export async function readBatchPlan(
  db: Builder,
  key: bigint,
  { whatever = false } = {},
): Promise<BatchPlan | null> {
  const { id, owner, fileKey, operation, options, model, total, promptCaching } = batches;
  const [plan] = await db.query
    .select({
      key: batches.key,
      id,
      owner,
      fileKey,
      operation,
      options,
      model,
      twins: batches.twins,
      total,
      promptCaching,
      maxCostUsd: batches.maxCostUsd,
      traceparent: batches.traceparent,
      isInPreview: sql<boolean>`${batches.previewItems} is not null and ${batches.previewResumedAt} is null`,
      file: fileColumns,
      reading: {
        contentField: batches.contentField,
        customIdField: batches.customIdField,
        customIdPrefix: batches.customIdPrefix,
      },
    })
    .from(batches)
    .innerJoin(files, eq(files.key, batches.fileKey))
    .where(
      and(eq(batches.key, key), whatever ? undefined : and(running, isNull(batches.pauseReason))),
    );
  return plan ?? null;
}

/**
 * Batches that workers must drop (being ended, ended, or gone), those of which they send nothing
 * new, and those with a limit, among the given ones.
 */
export async function readHalted(
  { query }: Builder,
  keys: readonly bigint[],
): Promise<{ stopped: bigint[]; paused: bigint[]; bounded: bigint[] }> {
  const goingOn = await query
    .select({
      key: batches.key,
      pauseReason: batches.pauseReason,
      maxCostUsd: batches.maxCostUsd,
    })
    .from(batches)
    .where(and(inArray(batches.key, [...keys]), running));
  const kept = new Set(goingOn.map(({ key }) => key));
  return {
    stopped: keys.filter((key) => !kept.has(key)),
    paused: goingOn.filter(({ pauseReason }) => pauseReason !== null).map(({ key }) => key),
    bounded: goingOn.filter(({ maxCostUsd }) => maxCostUsd !== null).map(({ key }) => key),
  };
}
