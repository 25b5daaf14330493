/** The life of a batch, one statement each: it comes, is read, and ends. */
import {
  and,
  asc,
  desc,
  eq,
  gt,
  gte,
  ilike,
  inArray,
  isNull,
  lt,
  lte,
  type SQL,
  sql,
} from 'drizzle-orm';
import type { BatchErrorCode, ItemErrorCode } from '../errors.ts';
import type { Database, Sql } from './client.ts';
import { type BatchStatus, batches, type FinalStatus, files } from './tables.ts';
import { insertWebhooks } from './webhooks.ts';

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
  expiresInSeconds: number;
  webhookUrl: string | null;
  customIdPrefix: string | null;
  chunkSize: number;
  file: { id: string; name: string; format: string; sizeBytes: number; columns: readonly string[] };
  rows: readonly { customId: string | null; content: string | null; fields: string | null }[];
}

/**
 * Inserts a batch, its unlisted file, its rows and its chunks. Null when the owner's idempotency key is taken:
 * then nothing was written, and `findByIdempotencyKey` has the winner.
 */
export async function insertInlineBatch(
  db: Sql,
  batch: NewInlineBatch,
): Promise<{ key: bigint } | null> {
  const { file, rows } = batch;
  const given = JSON.stringify(rows.map((row, index) => ({ index, ...row })));
  const [inserted] = await db<{ key: bigint }[]>`
    with batch as (
      insert into batches (file_key, id, owner, operation, options, model, status, name, metadata,
                           idempotency_key, input_hash, expires_in_seconds, expires_at, webhook_url, custom_id_prefix, total)
      values (nextval('files_key_seq'), ${batch.id}, ${batch.owner}, ${batch.operation}, ${batch.options},
              ${batch.model}, ${batch.status}, ${batch.name}, ${batch.metadata}, ${batch.idempotencyKey},
              ${batch.inputHash}, ${batch.expiresInSeconds}, now() + make_interval(secs => ${batch.expiresInSeconds}), ${batch.webhookUrl},
              ${batch.customIdPrefix}, ${rows.length})
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
      insert into chunks (batch_key, first, last, sent_to)
      select batch.key, first, least(first + ${batch.chunkSize}, ${rows.length}) - 1, first - 1
      from batch, generate_series(0, ${rows.length - 1}, ${batch.chunkSize}) as first
    )
    select key from batch`;
  return inserted ?? null;
}

/** The batch that holds an owner's idempotency key, with the hash of the input it was submitted with. */
export async function findByIdempotencyKey(
  db: Database,
  owner: string,
  idempotencyKey: string,
): Promise<{ id: string; inputHash: string } | undefined> {
  const [found] = await db.query
    .select({ id: batches.id, inputHash: batches.inputHash })
    .from(batches)
    .where(and(eq(batches.owner, owner), eq(batches.idempotencyKey, idempotencyKey)));
  return found;
}

/** Items that workers hold: those of leased chunks that have no result yet. Read with the counters, so that they add up. */
const processing = sql<number>`(
  select coalesce(sum(c.last - c.first + 1 - c.done), 0)::int
  from chunks c where c.batch_key = batches.key and c.state = 'leased')`;

const errorSummary = sql<{ code: ItemErrorCode; count: number; message: string }[]>`(
  select coalesce(json_agg(json_build_object('code', e.code, 'count', e.count, 'message', e.message)
                           order by e.count desc, e.code), '[]')
  from batch_errors e where e.batch_key = batches.key and e.count > 0)`;

/** The database's clock at the read, against which rates are computed. */
const readAt = sql<Date>`now()`.mapWith(batches.createdAt);

const batchColumns = {
  key: batches.key,
  fileKey: batches.fileKey,
  id: batches.id,
  owner: batches.owner,
  operation: batches.operation,
  options: batches.options,
  model: batches.model,
  status: batches.status,
  name: batches.name,
  metadata: batches.metadata,
  createdAt: batches.createdAt,
  startedAt: batches.startedAt,
  completedAt: batches.completedAt,
  cancelInitiatedAt: batches.cancelInitiatedAt,
  expiresAt: batches.expiresAt,
  webhookUrl: batches.webhookUrl,
  contentField: batches.contentField,
  customIdField: batches.customIdField,
  customIdPrefix: batches.customIdPrefix,
  total: batches.total,
  succeeded: batches.succeeded,
  failed: batches.failed,
  cancelled: batches.cancelled,
  expired: batches.expired,
  seq: batches.seq,
  requests: batches.requests,
  inputTokens: batches.inputTokens,
  cachedInputTokens: batches.cachedInputTokens,
  outputTokens: batches.outputTokens,
  costUsd: batches.costUsd,
  resentRequests: batches.resentRequests,
  rate: batches.rate,
  rateAt: batches.rateAt,
  error: sql<string | null>`case when ${batches.status} = 'FAILED' then ${batches.error} end`,
  errorCode: sql<BatchErrorCode | null>`case when ${batches.status} = 'FAILED' then ${batches.errorCode} end`,
  waitingReason: batches.waitingReason,
  waitingSince: batches.waitingSince,
  waitingUntil: batches.waitingUntil,
  processing,
  errorSummary,
  readAt,
};

/** A batch at one instant, read in one statement. */
export type BatchRecord = Awaited<ReturnType<typeof selectBatches>>[number];

function selectBatches(db: Database, where: SQL | undefined) {
  return db.query
    .select(batchColumns)
    .from(batches)
    .where(and(where, isNull(batches.deletedAt)));
}

export async function readBatch(
  db: Database,
  owner: string,
  id: string,
): Promise<BatchRecord | null> {
  const [batch] = await selectBatches(db, and(eq(batches.id, id), eq(batches.owner, owner)));
  return batch ?? null;
}

/** Whoever owns it: for those who hold a signed link to it. */
export async function readBatchById(db: Database, id: string): Promise<BatchRecord | null> {
  const [batch] = await selectBatches(db, eq(batches.id, id));
  return batch ?? null;
}

/** For the process itself, which is told of changes by key. Whoever shows it to somebody checks the owner. */
export async function readBatchByKey(db: Database, key: bigint): Promise<BatchRecord | null> {
  const [batch] = await selectBatches(db, eq(batches.key, key));
  return batch ?? null;
}

export interface BatchFilter {
  status?: readonly BatchStatus[] | undefined;
  operation?: readonly string[] | undefined;
  /** Case-insensitive part of the name. */
  name?: string | undefined;
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
}

/** A page of an owner's batches, newest first; `inverted` reads it from the far end. Keys bound it on both sides, themselves left out. */
export async function listBatches(
  db: Database,
  owner: string,
  filter: BatchFilter,
  page: {
    limit: number;
    afterKey?: bigint | undefined;
    beforeKey?: bigint | undefined;
    inverted: boolean;
  },
): Promise<BatchRecord[]> {
  const { limit, afterKey, beforeKey, inverted } = page;
  return await selectBatches(
    db,
    and(
      matches(owner, filter),
      afterKey === undefined ? undefined : lt(batches.key, afterKey),
      beforeKey === undefined ? undefined : gt(batches.key, beforeKey),
    ),
  )
    .orderBy(inverted ? asc(batches.key) : desc(batches.key))
    .limit(limit);
}

export async function countBatches(
  db: Database,
  owner: string,
  filter: BatchFilter,
): Promise<number> {
  return await db.query.$count(batches, matches(owner, filter));
}

function matches(owner: string, filter: BatchFilter): SQL | undefined {
  const { status, operation, name, createdAfter, createdBefore } = filter;
  return and(
    eq(batches.owner, owner),
    isNull(batches.deletedAt),
    status && inArray(batches.status, [...status]),
    operation && inArray(batches.operation, [...operation]),
    name === undefined ? undefined : ilike(batches.name, `%${name.replace(/[\\%_]/g, '\\$&')}%`),
    createdAfter && gte(batches.createdAt, createdAfter),
    createdBefore && lte(batches.createdAt, createdBefore),
  );
}

/** The same rule for a batch that has been read already. */
export function matchesFilter(batch: BatchRecord, filter: BatchFilter): boolean {
  const { status, operation, name, createdAfter, createdBefore } = filter;
  return (
    (!status || status.includes(batch.status)) &&
    (!operation || operation.includes(batch.operation)) &&
    (name === undefined || (batch.name ?? '').toLowerCase().includes(name.toLowerCase())) &&
    (!createdAfter || batch.createdAt >= createdAfter) &&
    (!createdBefore || batch.createdAt <= createdBefore)
  );
}

/** What a worker needs to know of a batch to run its items. */
export type BatchPlan = Pick<
  BatchRecord,
  'key' | 'id' | 'owner' | 'fileKey' | 'operation' | 'options' | 'model'
> & {
  file: typeof files.$inferSelect;
  reading: Pick<BatchRecord, 'contentField' | 'customIdField' | 'customIdPrefix'>;
};

/** Null where there is nothing to run: being ended, ended, or gone. */
export async function readBatchPlan(db: Database, key: bigint): Promise<BatchPlan | null> {
  const { id, owner, fileKey, operation, options, model } = batches;
  const [plan] = await db.query
    .select({
      key: batches.key,
      id,
      owner,
      fileKey,
      operation,
      options,
      model,
      file: files,
      reading: {
        contentField: batches.contentField,
        customIdField: batches.customIdField,
        customIdPrefix: batches.customIdPrefix,
      },
    })
    .from(batches)
    .innerJoin(files, eq(files.key, batches.fileKey))
    .where(
      and(
        eq(batches.key, key),
        inArray(batches.status, ['QUEUED', 'PROCESSING']),
        isNull(batches.ending),
        isNull(batches.deletedAt),
      ),
    );
  return plan ?? null;
}

/** Of the given batches, those that workers must drop: being ended, ended, or gone. */
export async function readStopped(db: Sql, keys: readonly bigint[]): Promise<bigint[]> {
  const stopped = await db<{ key: bigint }[]>`
    select given as key from unnest(${keys.map(String)}::text[]::bigint[]) as given
    where not exists (
      select from batches where key = given and status in ('QUEUED', 'PROCESSING') and ending is null and deleted_at is null)`;
  return stopped.map(({ key }) => key);
}

/** Queues a DRAFT. Returns its key, or null where there is none of that id. */
export async function startDraft(db: Sql, owner: string, id: string): Promise<bigint | null> {
  const [started] = await db<{ key: bigint }[]>`
    update batches set status = 'QUEUED'
    where id = ${id} and owner = ${owner} and status = 'DRAFT' and ending is null and deleted_at is null
    returning key`;
  return started?.key ?? null;
}

/**
 * Begins the end of an unfinished batch on its owner's wish. Returns its key, or null where there is nothing to cancel:
 * unknown, another owner's, ended, or being ended already.
 */
export async function beginCancel(db: Sql, owner: string, id: string): Promise<bigint | null> {
  const [begun] = await db<{ key: bigint }[]>`
    update batches set status = 'CANCELLING', ending = 'CANCELLED', cancel_initiated_at = now()
    where id = ${id} and owner = ${owner} and status in ('DRAFT', 'QUEUED', 'PROCESSING') and ending is null and deleted_at is null
    returning key`;
  return begun?.key ?? null;
}

/** Begins the end of every batch whose time has run out. Returns their keys. */
export async function beginExpiry(db: Sql): Promise<bigint[]> {
  const begun = await db<{ key: bigint }[]>`
    update batches set ending = 'EXPIRED'
    where status in ('DRAFT', 'QUEUED', 'PROCESSING') and ending is null and expires_at <= now() and deleted_at is null
    returning key`;
  return begun.map(({ key }) => key);
}

/** How a batch ends before all of its items were answered. */
export type Ending = Exclude<FinalStatus, 'SUCCEEDED'>;

/** The batches that are being ended. */
export async function listEnding(db: Sql): Promise<{ key: bigint; ending: Ending }[]> {
  return await db<{ key: bigint; ending: Ending }[]>`
    select key, ending from batches
    where status in ('DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING') and ending is not null and deleted_at is null
    order by key`;
}

/** Notes why a running batch does not get on. It is for whoever looks, and decides nothing. */
export async function noteWaiting(
  db: Sql,
  key: bigint,
  waiting: { reason: string; since: Date; until: Date },
): Promise<void> {
  await db`
    update batches
    set waiting_reason = ${waiting.reason}, waiting_since = ${waiting.since}, waiting_until = ${waiting.until}
    where key = ${key} and status = 'PROCESSING'`;
}

/** Begins the end of a running batch of which no item would succeed. False when it had ended, or is being ended already. */
export async function beginFailure(
  db: Sql,
  key: bigint,
  failure: { code: BatchErrorCode; message: string },
): Promise<boolean> {
  const begun = await db`
    update batches set ending = 'FAILED', error = ${failure.message}, error_code = ${failure.code}
    where key = ${key} and status in ('QUEUED', 'PROCESSING') and ending is null`;
  return begun.count === 1;
}

/**
 * Ends a batch that is failing once no worker holds items of it, so that nothing is recorded after its end. Its unfinished
 * items stay PENDING. False where it is not failing, or not yet at its end.
 */
export async function endFailure(db: Sql, key: bigint): Promise<boolean> {
  const ended = await db`
    with ended as (
      update batches b set status = 'FAILED', ending = null, completed_at = now()
      where key = ${key} and status in ('QUEUED', 'PROCESSING') and ending = 'FAILED'
        and not exists (select from chunks where batch_key = b.key and state = 'leased')
      returning b.*
    ),
    announced as (${insertWebhooks(db, db`ended`)})
    select key from ended`;
  return ended.count === 1;
}

/** The unlisted or listed file that a batch runs over. */
export type BatchFile = typeof files.$inferSelect;

/** The unlisted or listed file that a batch runs over: name and columns. */
export async function readBatchFile(db: Database, fileKey: bigint): Promise<BatchFile> {
  const [file] = await db.query.select().from(files).where(eq(files.key, fileKey));
  if (!file) throw new Error(`file ${fileKey} has gone`);
  return file;
}
