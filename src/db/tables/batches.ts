/** Batches, and what is kept beside each. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { bytes, instant, key, sum } from './columns.ts';
import { files } from './files.ts';
import { finalStatus } from './results.ts';

export const batchStatuses = [
  'DRAFT',
  'QUEUED',
  'PROCESSING',
  'CANCELLING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
] as const;
export type BatchStatus = (typeof batchStatuses)[number];
export const batchStatus = pgEnum('batch_status', batchStatuses);

/** LIVE: a call an item. PROVIDER_BATCH: through the provider's own batch API. */
export const executions = ['LIVE', 'PROVIDER_BATCH'] as const;
export type Execution = (typeof executions)[number];
export const execution = pgEnum('execution', executions);

export const batches = pgTable(
  'batches',
  {
    key: key('key').primaryKey().generatedByDefaultAsIdentity(),
    fileKey: key('file_key')
      .notNull()
      .references(() => files.key),
    id: text('id').notNull(),
    owner: text('owner').notNull(),
    operation: text('operation').notNull(),
    /** The operation's params as JSON text, defaults filled in. */
    options: text('options').notNull(),
    model: text('model').notNull(),
    status: batchStatus('status').notNull(),
    /**
     * Set while a batch is being ended: where it goes. Cancelled and expired it ends once every
     * item has a row, failed once no worker holds items of it.
     */
    ending: finalStatus('ending'),
    name: text('name'),
    metadata: text('metadata'),
    idempotencyKey: text('idempotency_key'),
    /** SHA-256 of the whole input, to tell a repeated submit from another one under its key. */
    inputHash: text('input_hash').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    startedAt: instant('started_at'),
    completedAt: instant('completed_at'),
    cancelInitiatedAt: instant('cancel_initiated_at'),
    expiresAt: instant('expires_at').notNull(),
    /** The time it was given at submit, and is given again by a retry. */
    expiresInSeconds: integer('expires_in_seconds').notNull(),
    total: integer('total').notNull(),
    succeeded: integer('succeeded').notNull().default(0),
    failed: integer('failed').notNull().default(0),
    cancelled: integer('cancelled').notNull().default(0),
    expired: integer('expired').notNull().default(0),
    /**
     * Counts flushes. Results carry the value they were written under, so it is a cursor that
     * nothing slips behind.
     */
    seq: sum('seq'),
    requests: sum('requests'),
    inputTokens: sum('input_tokens'),
    cachedInputTokens: sum('cached_input_tokens'),
    outputTokens: sum('output_tokens'),
    cacheWriteTokens: sum('cache_write_tokens'),
    /** The part of the former that was written for an hour. */
    cacheWriteLongTokens: sum('cache_write_long_tokens'),
    reasoningTokens: sum('reasoning_tokens'),
    /** Requests of which no usage came; those that were sent again are counted apart. */
    unmeteredRequests: sum('unmetered_requests'),
    /** USD of the answers with a known price; null until one came in. */
    costUsd: doublePrecision('cost_usd'),
    /** Answers without a known price: what the batch cost is unknown where there are some. */
    unpriced: integer('unpriced').notNull().default(0),
    resentRequests: sum('resent_requests'),
    /**
     * Items a second, as an exponentially decaying sum over `rateWindowSeconds`, and when it was
     * last brought up to date.
     */
    rate: doublePrecision('rate').notNull().default(0),
    rateAt: instant('rate_at'),
    /** Seconds since its start without work: it was paused, or had ended before a retry. */
    idleSeconds: doublePrecision('idle_seconds').notNull().default(0),
    error: text('error'),
    errorCode: text('error_code'),
    /** Why its provider is not asked now, since and until when; told again while that lasts. */
    waitingReason: text('waiting_reason'),
    waitingSince: instant('waiting_since'),
    waitingUntil: instant('waiting_until'),
    /** USD that it may cost at most; null without a limit. */
    maxCostUsd: doublePrecision('max_cost_usd'),
    /**
     * Set while it sends nothing new: a batch that is paused keeps its status, so that every
     * statement about batches that run holds for it too.
     */
    pauseReason: text('pause_reason'),
    pauseMessage: text('pause_message'),
    pausedSince: instant('paused_since'),
    /** When it goes on by itself; null where it waits for somebody. */
    pauseResumesAt: instant('pause_resumes_at'),
    /** Number of items that its preview asks; null without one. */
    previewItems: integer('preview_items'),
    /** True where the items of the preview were chosen; null without one. None is asked before. */
    previewChosen: boolean('preview_chosen'),
    /** Since when the items behind the preview may be asked. */
    previewResumedAt: instant('preview_resumed_at'),
    /** JSON of what it was expected to take, counted before the first item was sent. */
    quote: text('quote'),
    /** Prompt tokens as they were counted before: the mean times the items that are asked. */
    countedTokens: doublePrecision('counted_tokens'),
    /** 16 bytes of SHA-256 of operation and options, the model left out: finds earlier batches. */
    optionsHash: bytes('options_hash'),
    /** True where prompts are marked for the provider's cache; null: where it pays. */
    promptCaching: boolean('prompt_caching'),
    /**
     * True where identical rows were looked for; null where they are not wanted. No chunk is
     * claimed before they were.
     */
    twinsFound: boolean('twins_found'),
    /** Items that take the answer of an identical row. */
    twins: integer('twins').notNull().default(0),
    /** Those of them that have it. */
    twinsRecorded: integer('twins_recorded').notNull().default(0),
    webhookUrl: text('webhook_url'),
    /**
     * Its own reading of its file, where that differs from what was chosen at upload. An empty
     * customIdField: the place in the file serves.
     */
    contentField: text('content_field'),
    customIdField: text('custom_id_field'),
    /** Stands before every custom id. */
    customIdPrefix: text('custom_id_prefix'),
    execution: execution('execution').notNull().default('LIVE'),
    /** PROVIDER_BATCH only: what the provider's window leaves undone is called live. */
    rescue: boolean('rescue').notNull().default(false),
    /** Since when open chunks of a batch for the batch API go to live calls. */
    rescuedAt: instant('rescued_at'),
    /**
     * With a custom id field of its own: how many of its rows have theirs in `custom_ids`. No chunk
     * is claimed before all have.
     */
    idsIndexed: integer('ids_indexed'),
    /**
     * Bytes of the lines of succeeded items, as OpenAI's API gives them; null until somebody asked
     * after the end.
     */
    outputBytes: bigint('output_bytes', { mode: 'number' }),
    /** The same of the items that did not succeed. */
    errorBytes: bigint('error_bytes', { mode: 'number' }),
    /** Deleted by a client of OpenAI's API, as if they were files: the succeeded items' lines. */
    outputDeletedAt: instant('output_deleted_at'),
    /** The same of the other items' lines. */
    errorsDeletedAt: instant('errors_deleted_at'),
    /** Seconds after its end until it is deleted, where the server does not do so sooner. */
    retainSeconds: integer('retain_seconds'),
    /**
     * Trace of the request that submitted it, as W3C's Trace Context has it; null: traces were off.
     */
    traceparent: text('traceparent'),
    /**
     * Its rows, answers and messages are nobody's any more; counts, usage and what was submitted
     * stay. It never runs again.
     */
    contentDeletedAt: instant('content_deleted_at'),
    /** Items before this index have nothing left of them. */
    contentBlankedTo: integer('content_blanked_to').notNull().default(0),
    /** Deleted for its owner; results and chunks are purged in the background, the batch last. */
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    // Needed by readBatch, readBatchById, readBatchPlace, startDraft, beginCancel, retryItems.
    uniqueIndex('batches_id').on(table.id),
    // Needed by listBatches, countBatches.
    index('batches_owner').on(table.owner, table.key),
    // Needed by listBatches, countBatches, deleteFile, listDeletedFiles, removeFile,
    // purgeBatchStep.
    index('batches_file').on(table.fileKey),
    // Needed by insertInlineBatch, insertFileBatch, insertIngestedBatch, findByIdempotencyKey.
    uniqueIndex('batches_idempotency_key')
      .on(table.owner, table.idempotencyKey)
      .where(sql`idempotency_key is not null`),
    // Needed by claimChunks, planProviderBatch, rescueBatches, listGivenUp, listFatal, beginExpiry,
    // listEnding.
    index('batches_active')
      .on(table.key)
      .where(sql`status in ('DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING')`),
    check(
      'batches_counts',
      sql`succeeded >= 0 and failed >= 0 and cancelled >= 0 and expired >= 0 and succeeded + failed + cancelled + expired <= total`,
    ),
    // Needed by listUnindexed.
    index('batches_unindexed').on(table.key).where(sql`ids_indexed < total`),
    // Needed by listUnmatched.
    index('batches_unmatched').on(table.key).where(sql`not twins_found`).concurrently(),
    // Needed by readAnswerHistory.
    index('batches_options').on(table.owner, table.optionsHash, table.key.desc()).concurrently(),
    // Needed by listUnquoted.
    index('batches_unquoted')
      .on(table.key)
      .where(sql`options_hash is not null and quote is null`)
      .concurrently(),
    // Needed by listUnchosen.
    index('batches_unchosen').on(table.key).where(sql`not preview_chosen`).concurrently(),
    // Needed by listPurgeable.
    index('batches_deleted').on(table.key).where(sql`deleted_at is not null`).concurrently(),
    // Needed by hideEndedBatches.
    index('batches_ended')
      .on(table.completedAt)
      .concurrently()
      .where(sql`completed_at is not null and deleted_at is null`),
    // Needed by hideEndedBatches, readShortestRetain.
    index('batches_retained')
      .on(table.completedAt)
      .concurrently()
      .where(sql`retain_seconds is not null and deleted_at is null`),
    // Needed by listContentDue.
    index('batches_with_content')
      .on(table.completedAt)
      .where(sql`completed_at is not null and deleted_at is null and content_deleted_at is null`)
      .concurrently(),
    // Needed by listBlankable.
    index('batches_unblanked')
      .on(table.key)
      .where(sql`content_deleted_at is not null and content_blanked_to < total`)
      .concurrently(),
    // An older process that knows of no such batch cannot retry it.
    check('batches_content', sql`content_deleted_at is null or completed_at is not null`),
    check(
      'batches_completed_at',
      sql`(completed_at is not null) = (status in ('COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'))`,
    ),
  ],
);

/**
 * The custom ids of a batch that takes them from another field than the upload did. Filled before
 * it starts.
 */
export const customIds = pgTable(
  'custom_ids',
  {
    batchKey: key('batch_key').notNull(),
    customId: text('custom_id').notNull(),
    index: integer('index').notNull(),
  },
  (table) => [primaryKey({ columns: [table.batchKey, table.customId] })],
);

/**
 * Number of items of a batch that failed with a code, and one message as an example. Written by the
 * flush that writes the rows.
 */
export const batchErrors = pgTable(
  'batch_errors',
  {
    batchKey: key('batch_key').notNull(),
    code: text('code').notNull(),
    count: integer('count').notNull(),
    message: text('message').notNull(),
  },
  (table) => [primaryKey({ columns: [table.batchKey, table.code] })],
);
