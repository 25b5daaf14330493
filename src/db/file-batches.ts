/** Batches over an uploaded file, which copy nothing of it. */

import type { BatchErrorCode } from '../core/errors.ts';
import type { Sql } from './driver/client.ts';
import { fileIsThere } from './files.ts';
import { firstState, isChosen, type NewInlineBatch } from './inline-batches.ts';
import { isTaken, type Taking, takenFirst } from './takings.ts';
import { insertWebhooks } from './webhooks.ts';

/** A batch over a file that is there already. */
export type NewFileBatch = Omit<NewInlineBatch, 'file' | 'rows'> & {
  fileId: string;
  contentField: string | null;
  /** Another one than the upload's: its custom ids are indexed before anything is claimed. */
  customIdField: string | null;
  /** Why no row of the file can run. */
  fileError?: string | null;
};

/**
 * Inserts a batch over its owner's file, with its chunks; without a name it has the file's. With a
 * `fileError` it has ended with that, and is announced: it has no chunks, so that nobody can ever
 * claim an item of it.
 * `unknown_file` where the file does not exist (any more), `key_taken` where the owner's
 * idempotency key is: then nothing was written. `isTaken` false: its taking did not fit, and
 * nothing was written either.
 */
export async function insertFileBatch(
  sql: Sql,
  batch: NewFileBatch,
  taking: Taking | null = null,
): Promise<{ result: bigint | 'unknown_file' | 'key_taken'; isTaken: boolean }> {
  const { fileError = null } = batch;
  const status = fileError === null ? batch.status : 'FAILED';
  const errorCode: BatchErrorCode | null = fileError === null ? null : 'INVALID_INPUT_FILE';
  const [inserted] = await sql<{ key: bigint | null; known: boolean; isTaken: boolean }[]>`
    with ${takenFirst(sql, taking)}
    file as materialized (
      select key, item_count, name from files f
      where id = ${batch.fileId} and owner = ${batch.owner} and listed and ${fileIsThere(sql)}
      for share
    ),
    batch as (
      insert into batches (file_key, id, owner, operation, options, model, status, name, metadata,
                           idempotency_key, input_hash, expires_in_seconds, expires_at, webhook_url, total,
                           content_field, custom_id_field, custom_id_prefix, execution, rescue, options_hash, prompt_caching, max_cost_usd, ids_indexed, twins_found,
                           preview_items, preview_chosen, retain_seconds, traceparent,
                           completed_at, error, error_code)
      select file.key, ${batch.id}, ${batch.owner}, ${batch.operation}, ${batch.options}, ${batch.model},
             ${status}, coalesce(${batch.name}, file.name), ${batch.metadata}, ${batch.idempotencyKey}, ${batch.inputHash},
             ${batch.expiresInSeconds}, now() + make_interval(secs => ${batch.expiresInSeconds}),
             ${batch.webhookUrl}, file.item_count,
             ${batch.contentField}, ${batch.customIdField}, ${batch.customIdPrefix}, ${batch.execution}, ${batch.rescue}, ${batch.optionsHash}, ${batch.promptCaching ?? null}, ${batch.maxCostUsd},
             case when ${fileError === null && (batch.customIdField ?? '') !== ''} then 0 end,
             case when ${fileError === null && batch.deduplicate} then file.item_count = 1 end,
             ${batch.previewItems ?? null}, ${isChosen(batch)}, ${batch.retainSeconds ?? null}::int, ${batch.traceparent ?? null},
             case when ${fileError !== null} then now() end, ${fileError}, ${errorCode}
      from file
      where ${isTaken(sql, taking)}
      on conflict (owner, idempotency_key) where idempotency_key is not null do nothing
      returning *
    ),
    cut as (
      insert into chunks (batch_key, first, last, sent_to, state)
      select batch.key, first, least(first + ${batch.chunkSize}, batch.total) - 1, first - 1, ${firstState(batch)}
      from batch, generate_series(0, batch.total - 1, ${batch.chunkSize}) as first
      where batch.completed_at is null
    ),
    ended as (select * from batch where completed_at is not null),
    announced as (${insertWebhooks(sql, sql`ended`)})
    select (select key from batch) as key, exists (select from file) as known,
           ${isTaken(sql, taking)} as "isTaken"`;
  const result = inserted?.known ? (inserted.key ?? 'key_taken') : 'unknown_file';
  return { result, isTaken: inserted?.isTaken ?? false };
}
