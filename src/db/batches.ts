/** Batches as they are read: one, or a page of them. */
import { and, desc, eq, gte, ilike, inArray, isNull, lte, or, type SQL, sql } from 'drizzle-orm';
import type { BatchErrorCode, ItemErrorCode } from '../core/errors.ts';
import { type PlaceInPage, placed, placesWithin } from './bytes.ts';
import type { Builder } from './driver/client.ts';
import { type FileRecord, fileColumns } from './files.ts';
import { batchOf, notFinal } from './guards.ts';
import { boundsOf, type KeyPage, orderOf } from './key-page.ts';
import { type ShownStatus, shownPauseReason, shownStatus } from './pauses.ts';
import { batches, files } from './tables.ts';
import { batchUsage } from './usage.ts';

/**
 * Items that workers hold: those of leased chunks that have no result yet and are asked. Read with
 * the counters, so that they add up.
 */
const processing = sql<number>`(
  select coalesce(sum(c.last - c.first + 1 - c.done - c.twins), 0)::int
  from chunks c where c.batch_key = batches.key and c.state = 'leased')`;

/** The provider's word on a batch's jobs: changes with every step worth seeing. */
const providerState = sql<string | null>`(
  select string_agg(concat_ws(' ', p.status, p.succeeded::bigint + p.failed), ';' order by p.key)
  from provider_batches p where p.batch_key = batches.key)`;

const errorSummary = sql<{ code: ItemErrorCode; count: number; message: string }[]>`(
  select coalesce(json_agg(json_build_object('code', e.code, 'count', e.count, 'message', e.message)
                           order by e.count desc, e.code), '[]')
  from batch_errors e where e.batch_key = batches.key and e.count > 0)`;

/** The database's clock at the read, against which rates are computed. */
const readAt = sql<Date>`now()`.mapWith(batches.createdAt);

/** Null unless there is a pause: a retry of 0.2.0 leaves the instant of one that has ended. */
const pausedSince = sql<Date | null>`(
  case when ${batches.pauseReason} is not null then ${batches.pausedSince} end)`.mapWith(
  batches.pausedSince,
);

/** Bytes of what may be large of a batch; known without reading it. */
const octets = sql<number>`octet_length(${batches.options}) + coalesce(octet_length(${batches.metadata}), 0)`;

const batchColumns = {
  key: batches.key,
  fileKey: batches.fileKey,
  id: batches.id,
  owner: batches.owner,
  operation: batches.operation,
  options: batches.options,
  model: batches.model,
  status: shownStatus,
  pauseReason: shownPauseReason,
  pauseMessage: batches.pauseMessage,
  pausedSince,
  pauseResumesAt: batches.pauseResumesAt,
  name: batches.name,
  metadata: batches.metadata,
  idempotencyKey: batches.idempotencyKey,
  createdAt: batches.createdAt,
  startedAt: batches.startedAt,
  completedAt: batches.completedAt,
  cancelInitiatedAt: batches.cancelInitiatedAt,
  expiresAt: batches.expiresAt,
  webhookUrl: batches.webhookUrl,
  contentField: batches.contentField,
  customIdField: batches.customIdField,
  customIdPrefix: batches.customIdPrefix,
  execution: batches.execution,
  rescue: batches.rescue,
  rescuedAt: batches.rescuedAt,
  promptCaching: batches.promptCaching,
  total: batches.total,
  succeeded: batches.succeeded,
  failed: batches.failed,
  cancelled: batches.cancelled,
  expired: batches.expired,
  seq: batches.seq,
  ...batchUsage,
  maxCostUsd: batches.maxCostUsd,
  resentRequests: batches.resentRequests,
  previewItems: batches.previewItems,
  previewResumedAt: batches.previewResumedAt,
  twinsFound: batches.twinsFound,
  twins: batches.twins,
  twinsRecorded: batches.twinsRecorded,
  rate: batches.rate,
  rateAt: batches.rateAt,
  idleSeconds: batches.idleSeconds,
  error: sql<string | null>`case when ${batches.status} = 'FAILED' then ${batches.error} end`,
  errorCode: sql<BatchErrorCode | null>`case when ${batches.status} = 'FAILED' then ${batches.errorCode} end`,
  waitingReason: batches.waitingReason,
  waitingSince: batches.waitingSince,
  waitingUntil: batches.waitingUntil,
  quote: batches.quote,
  retainSeconds: batches.retainSeconds,
  traceparent: batches.traceparent,
  contentDeletedAt: batches.contentDeletedAt,
  outputBytes: batches.outputBytes,
  errorBytes: batches.errorBytes,
  outputDeletedAt: batches.outputDeletedAt,
  errorsDeletedAt: batches.errorsDeletedAt,
  processing,
  providerState,
  errorSummary,
  readAt,
};

/** A batch at one instant, read in one statement. */
export type BatchRecord = Awaited<ReturnType<typeof selectBatches>>[number];

function selectBatches(db: Builder, where: SQL | undefined) {
  return db.query
    .select(batchColumns)
    .from(batches)
    .where(and(where, isNull(batches.deletedAt)));
}

export async function readBatch(
  db: Builder,
  owner: string,
  id: string,
): Promise<BatchRecord | null> {
  const [batch] = await selectBatches(db, batchOf(owner, id));
  return batch ?? null;
}

/** Where a batch stands in lists, also one that was just deleted, so that they can be paged on. */
export async function readBatchPlace(
  { query }: Builder,
  owner: string,
  id: string,
): Promise<bigint | null> {
  const [batch] = await query.select({ key: batches.key }).from(batches).where(batchOf(owner, id));
  return batch?.key ?? null;
}

/** A batch of any owner, for a request with a signed link. */
export async function readBatchById(db: Builder, id: string): Promise<BatchRecord | null> {
  const [batch] = await selectBatches(db, eq(batches.id, id));
  return batch ?? null;
}

/** For the process, which hears of changes by key. A caller that shows it checks the owner. */
export async function readBatchByKey(db: Builder, key: bigint): Promise<BatchRecord | null> {
  const [batch] = await selectBatches(db, eq(batches.key, key));
  return batch ?? null;
}

export interface BatchFilter {
  status?: readonly ShownStatus[] | undefined;
  operation?: readonly string[] | undefined;
  /** Part of the name, whatever its case and however its accents are written. */
  name?: string | undefined;
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
  idempotencyKey?: string | undefined;
  /** The file that it runs over; null for one that is unknown, over which none runs. */
  fileKey?: bigint | null | undefined;
}

/** A page of an owner's batches. */
export async function listBatches(
  db: Builder,
  owner: string,
  filter: BatchFilter,
  page: KeyPage,
): Promise<(BatchRecord & PlaceInPage)[]> {
  const order = orderOf(batches.key, page);
  const sizes = await db.query
    .select({ key: batches.key, octets })
    .from(batches)
    .where(and(matches(owner, filter), boundsOf(batches.key, page)))
    .orderBy(order)
    .limit(page.limit);
  const places = placesWithin(sizes, page.maxBytes);
  if (places.size === 0) return [];
  const found = await selectBatches(db, inArray(batches.key, [...places.keys()])).orderBy(order);
  return placed(found, places);
}

/** Longer than two looks lie apart. */
const movedSeconds = 10;
const maxMoving = 1_000;

/** The newest batches of these owners that have not ended, or only just. */
export async function listMoving(db: Builder, owners: readonly string[]): Promise<BatchRecord[]> {
  return await selectBatches(
    db,
    and(
      inArray(batches.owner, [...owners]),
      isNull(batches.deletedAt),
      or(notFinal, gte(batches.completedAt, sql`now() - make_interval(secs => ${movedSeconds})`)),
    ),
  )
    .orderBy(desc(batches.key))
    .limit(maxMoving);
}

export async function countBatches(
  db: Builder,
  owner: string,
  filter: BatchFilter,
): Promise<number> {
  return await db.query.$count(batches, matches(owner, filter));
}

function matches(owner: string, filter: BatchFilter): SQL | undefined {
  const { status, operation, name, createdAfter, createdBefore, idempotencyKey, fileKey } = filter;
  return and(
    eq(batches.owner, owner),
    isNull(batches.deletedAt),
    status && inArray(shownStatus, [...status]),
    operation && inArray(batches.operation, [...operation]),
    name === undefined
      ? undefined
      : ilike(sql`normalize(${batches.name}, NFC)`, `%${escaped(name.normalize('NFC'))}%`),
    createdAfter && gte(batches.createdAt, createdAfter),
    createdBefore && lte(batches.createdAt, createdBefore),
    idempotencyKey === undefined ? undefined : eq(batches.idempotencyKey, idempotencyKey),
    fileKey === undefined
      ? undefined
      : fileKey === null
        ? sql`false`
        : eq(batches.fileKey, fileKey),
  );
}

/** The same rule for a batch that has been read already. */
export function matchesFilter(batch: BatchRecord, filter: BatchFilter): boolean {
  const { status, operation, name, createdAfter, createdBefore, idempotencyKey, fileKey } = filter;
  return (
    (!status || status.includes(batch.status)) &&
    (!operation || operation.includes(batch.operation)) &&
    (name === undefined || folded(batch.name ?? '').includes(folded(name))) &&
    (!createdAfter || batch.createdAt >= createdAfter) &&
    (!createdBefore || batch.createdAt <= createdBefore) &&
    (idempotencyKey === undefined || batch.idempotencyKey === idempotencyKey) &&
    (fileKey === undefined || batch.fileKey === fileKey)
  );
}

function escaped(pattern: string): string {
  return pattern.replace(/[\\%_]/g, '\\$&');
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** The unlisted or listed file that a batch runs over. */
export type BatchFile = FileRecord;

/** The unlisted or listed file that a batch runs over: name and columns. */
export async function readBatchFile(db: Builder, fileKey: bigint): Promise<BatchFile> {
  const [file] = await db.query.select(fileColumns).from(files).where(eq(files.key, fileKey));
  if (!file) throw new Error(`file ${fileKey} has gone`);
  return file;
}
