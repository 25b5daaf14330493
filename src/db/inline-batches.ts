/** Batches whose items come with the submit. */
import { and, eq } from 'drizzle-orm';
import type { Builder, Sql } from './driver/client.ts';
import { batches, type Execution } from './tables.ts';
import { isTaken, type Taking, takenFirst } from './takings.ts';

/** A batch as it was submitted with its items inline. `options` and the like are JSON text. */
export interface NewInlineBatch {
  id: string;
  owner: string;
  operation: string;
  options: string;
  model: string;
  status: 'DRAFT' | 'QUEUED';
  name: string | null;
  metadata: string | null;
  idempotencyKey: string | null;
  inputHash: string;
  /** 16 bytes of SHA-256 of operation and options, the model left out. */
  optionsHash: Buffer;
  expiresInSeconds: number;
  /** Seconds after its end until it is deleted. Null or absent: as the server does. */
  retainSeconds?: number | null;
  webhookUrl: string | null;
  customIdPrefix: string | null;
  execution: Execution;
  rescue: boolean;
  /** Identical rows are found before the start. */
  deduplicate: boolean;
  /** True where prompts are marked for the provider's cache. Null or absent: where it pays. */
  promptCaching?: boolean | null;
  /** USD; null without a limit. */
  maxCostUsd: number | null;
  /** So many items are asked first, the others when it is resumed. Null or absent: all at once. */
  previewItems?: number | null;
  /** Trace of the request that submits it. Null or absent: traces are off. */
  traceparent?: string | null;
  chunkSize: number;
  file: { id: string; name: string; format: string; sizeBytes: number; columns: readonly string[] };
  rows: readonly { customId: string | null; content: string | null; fields: string | null }[];
}

/** True where the items of the preview of a new batch are chosen; null where it has none. */
export function isChosen({ previewItems }: Pick<NewInlineBatch, 'previewItems'>): false | null {
  return (previewItems ?? null) === null ? null : false;
}

/** The state of the chunks of a new batch. */
export function firstState({
  previewItems,
}: Pick<NewInlineBatch, 'previewItems'>): 'open' | 'held' {
  return (previewItems ?? null) === null ? 'open' : 'held';
}

/**
 * Inserts a batch, its unlisted file, its rows and its chunks, where its taking fits. `key` is null
 * where it does not, and where the owner's idempotency key has another batch: then nothing was
 * written, and `findByIdempotencyKey` has the winner.
 */
export async function insertInlineBatch(
  sql: Sql,
  batch: NewInlineBatch,
  taking: Taking | null = null,
): Promise<{ key: bigint | null; isTaken: boolean }> {
  const { file, rows } = batch;
  const given = JSON.stringify(rows.map((row, index) => ({ index, ...row })));
  const [inserted] = await sql<{ key: bigint | null; isTaken: boolean }[]>`
    with ${takenFirst(sql, taking)}
    batch as (
      insert into batches (file_key, id, owner, operation, options, model, status, name, metadata,
                           idempotency_key, input_hash, expires_in_seconds, expires_at, webhook_url, custom_id_prefix,
                           execution, rescue, options_hash, prompt_caching, max_cost_usd, twins_found, preview_items, preview_chosen, retain_seconds, traceparent, total)
      select nextval('files_key_seq'), ${batch.id}, ${batch.owner}, ${batch.operation}, ${batch.options},
              ${batch.model}, ${batch.status}, ${batch.name}, ${batch.metadata}, ${batch.idempotencyKey},
              ${batch.inputHash}, ${batch.expiresInSeconds}, now() + make_interval(secs => ${batch.expiresInSeconds}), ${batch.webhookUrl},
              ${batch.customIdPrefix}, ${batch.execution}, ${batch.rescue}, ${batch.optionsHash}, ${batch.promptCaching ?? null}, ${batch.maxCostUsd}, ${batch.deduplicate ? rows.length === 1 : null},
              ${batch.previewItems ?? null}, ${isChosen(batch)}, ${batch.retainSeconds ?? null}, ${batch.traceparent ?? null}, ${rows.length}
      where ${isTaken(sql, taking)}
      on conflict (owner, idempotency_key) where idempotency_key is not null do nothing
      returning key, file_key
    ),
    file as (
      insert into files (key, id, owner, listed, name, format, size_bytes, item_count, columns)
      select file_key, ${file.id}, ${batch.owner}, false, ${file.name}, ${file.format}, ${file.sizeBytes},
             ${rows.length}, ${JSON.stringify(file.columns)}
      from batch
    ),
    stored as (
      insert into rows (file_key, index, custom_id, content, fields)
      select batch.file_key, g.index, g."customId", g.content, g.fields
      from batch, json_to_recordset(${given}::text::json)
        as g(index int, "customId" text, content text, fields text)
    ),
    cut as (
      insert into chunks (batch_key, first, last, sent_to, state)
      select batch.key, first, least(first + ${batch.chunkSize}, ${rows.length}) - 1, first - 1, ${firstState(batch)}
      from batch, generate_series(0, ${rows.length - 1}, ${batch.chunkSize}) as first
    )
    select (select key from batch) as key, ${isTaken(sql, taking)} as "isTaken"`;
  return inserted ?? { key: null, isTaken: false };
}

/** The batch that holds an owner's idempotency key, with the hash of its input. */
export async function findByIdempotencyKey(
  { query }: Builder,
  owner: string,
  idempotencyKey: string,
): Promise<{ id: string; inputHash: string } | undefined> {
  const [found] = await query
    .select({ id: batches.id, inputHash: batches.inputHash })
    .from(batches)
    .where(and(eq(batches.owner, owner), eq(batches.idempotencyKey, idempotencyKey)));
  return found;
}
