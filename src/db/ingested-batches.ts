/** Batches whose items came as the body of the submit, too many to be held at once. */
import type { Sql } from './driver/client.ts';
import { firstState, isChosen, type NewInlineBatch } from './inline-batches.ts';
import { isTaken, type Taking, takenFirst } from './takings.ts';

/** `file` is that of an ingest whose rows are in: its key was given out by `beginIngest`. */
export type NewIngestedBatch = Omit<NewInlineBatch, 'file' | 'rows'> & {
  file: {
    key: bigint;
    id: string;
    name: string;
    format: string;
    sizeBytes: number;
    itemCount: number;
  };
};

/**
 * Inserts a batch, its unlisted file and its chunks, and ends the ingest. `lease_lost` where the
 * ingest's lease had run out, `key_taken` where the owner's idempotency key is: then nothing was
 * written. `isTaken` false: its taking did not fit, and nothing was written either.
 */
export async function insertIngestedBatch(
  sql: Sql,
  { file, ...batch }: NewIngestedBatch,
  taking: Taking | null = null,
): Promise<{ result: bigint | 'lease_lost' | 'key_taken'; isTaken: boolean }> {
  const [inserted] = await sql<{ key: bigint | null; leased: boolean; isTaken: boolean }[]>`
    with ${takenFirst(sql, taking)}
    ingest as materialized (
      select file_key from ingests where file_key = ${file.key} and expires_at > now() for update
    ),
    batch as (
      insert into batches (file_key, id, owner, operation, options, model, status, name, metadata,
                           idempotency_key, input_hash, expires_in_seconds, expires_at, webhook_url, custom_id_prefix,
                           execution, rescue, options_hash, prompt_caching, max_cost_usd, twins_found, preview_items, preview_chosen, retain_seconds, traceparent, total)
      select file_key, ${batch.id}, ${batch.owner}, ${batch.operation}, ${batch.options},
             ${batch.model}, ${batch.status}, ${batch.name}, ${batch.metadata}, ${batch.idempotencyKey},
             ${batch.inputHash}, ${batch.expiresInSeconds}, now() + make_interval(secs => ${batch.expiresInSeconds}),
             ${batch.webhookUrl}, ${batch.customIdPrefix}, ${batch.execution}, ${batch.rescue}, ${batch.optionsHash}, ${batch.promptCaching ?? null}, ${batch.maxCostUsd},
             ${batch.deduplicate ? file.itemCount === 1 : null}, ${batch.previewItems ?? null}, ${isChosen(batch)}, ${batch.retainSeconds ?? null}::int, ${batch.traceparent ?? null}, ${file.itemCount}
      from ingest
      where ${isTaken(sql, taking)}
      on conflict (owner, idempotency_key) where idempotency_key is not null do nothing
      returning key, file_key
    ),
    file as (
      insert into files (key, id, owner, listed, name, format, size_bytes, item_count, columns)
      select file_key, ${file.id}, ${batch.owner}, false, ${file.name}, ${file.format}, ${file.sizeBytes},
             ${file.itemCount}, '[]'
      from batch
    ),
    ended as (
      delete from ingests where file_key = (select file_key from batch)
    ),
    cut as (
      insert into chunks (batch_key, first, last, sent_to, state)
      select batch.key, first, least(first + ${batch.chunkSize}, ${file.itemCount}) - 1, first - 1, ${firstState(batch)}
      from batch, generate_series(0, ${file.itemCount - 1}, ${batch.chunkSize}) as first
    )
    select (select key from batch) as key, exists (select from ingest) as leased,
           ${isTaken(sql, taking)} as "isTaken"`;
  const result = inserted?.leased ? (inserted.key ?? 'key_taken') : 'lease_lost';
  return { result, isTaken: inserted?.isTaken ?? false };
}
