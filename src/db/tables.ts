/**
 * Every table, and the one rule that they follow: what is large is append-only. `rows` and
 * `results` are written once; the only rows that workers update are `chunks`, one per hundred
 * items, so an old snapshot (an export, a backup, a forgotten session) does not slow the queue
 * down.
 *
 * Keys are numbers inside and prefixed random ids outside: a number costs eight bytes in each of a
 * million rows. Everything is keyed by file or batch first, so that the large tables partition or
 * distribute by that key. `rows`, `chunks` and `results` carry no foreign keys: a check per row
 * would cost more than the row; the deletion of a batch or a file deletes them.
 */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  doublePrecision,
  index,
  integer,
  pgEnum,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { toItemSet } from './item-set.ts';

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

/** An item without a row in `results` is PENDING or PROCESSING; these four are final. */
export const finalStatuses = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;
export type FinalStatus = (typeof finalStatuses)[number];
export const finalStatus = pgEnum('final_status', finalStatuses);

/** LIVE: a call an item. PROVIDER_BATCH: through the provider's own batch API. */
export const executions = ['LIVE', 'PROVIDER_BATCH'] as const;
export type Execution = (typeof executions)[number];
export const execution = pgEnum('execution', executions);

export const chunkState = pgEnum('chunk_state', ['open', 'leased', 'done']);

const key = (name: string) => bigint(name, { mode: 'bigint' });
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
/** Items by index: runs of neighbours cost as much as one of them. */
const itemSet = customType<{ data: readonly number[]; driverData: string }>({
  dataType: () => 'int4multirange',
  toDriver: toItemSet,
});
/** A sum that outgrows 32 bits but not 2^53. */
const sum = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);

/** A dataset. Items given inline become a file that is not listed. */
export const files = pgTable(
  'files',
  {
    key: key('key').primaryKey().generatedByDefaultAsIdentity(),
    id: text('id').notNull(),
    owner: text('owner').notNull(),
    listed: boolean('listed').notNull(),
    name: text('name').notNull(),
    format: text('format').notNull(),
    sizeBytes: bigint('size_bytes', { mode: 'number' }).notNull(),
    itemCount: integer('item_count').notNull(),
    /** JSON array of column names, in the file's order. */
    columns: text('columns').notNull(),
    /**
     * The column or JSON field that holds the text of an item; null where the row is the text, or a
     * whole request.
     */
    contentField: text('content_field'),
    /**
     * The column or JSON field that `rows.custom_id` was taken from; null where the place in the
     * file serves.
     */
    customIdField: text('custom_id_field'),
    rejectedCount: integer('rejected_count').notNull().default(0),
    /** JSON array of {row, reason}, of the first that were refused. */
    rejections: text('rejections').notNull().default('[]'),
    /** Rows of blank cells alone, which were skipped. */
    blankCount: integer('blank_count').notNull().default(0),
    /** JSON array of sentences: what was guessed, decoded, skipped or renamed. */
    warnings: text('warnings').notNull().default('[]'),
    /**
     * How the bytes were read; null for inline items and for files of servers that did not count
     * rows.
     */
    encoding: text('encoding'),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** Deleted for its owner; the rows are purged in the background, the file last. */
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    uniqueIndex('files_id').on(table.id), // readFile
    index('files_owner').on(table.owner, table.key).where(sql`listed`), // listFiles
    index('files_deleted').on(table.key).where(sql`deleted_at is not null`), // purgeFiles
  ],
);

/** Uploads that are under way: whose lease runs out has died, and its rows are removed. */
export const ingests = pgTable('ingests', {
  fileKey: key('file_key').primaryKey(),
  expiresAt: instant('expires_at').notNull(),
});

/** What a server makes once and keeps: the secrets that sign webhooks and links. */
export const settings = pgTable('settings', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
});

/**
 * The rows of a file, as they came. An inline item has its text in `content` and its metadata in
 * `fields`. A row of an uploaded file stands in `fields` alone, whole: the raw JSON text of a JSON
 * or JSONL row, a JSON array of all cells of a CSV row (the names are the file's `columns`); a row
 * of a text file in `content` alone. JSON text, never jsonb, which reorders keys and changes
 * numbers.
 */
export const rows = pgTable(
  'rows',
  {
    fileKey: key('file_key').notNull(),
    index: integer('index').notNull(),
    /** Null: the place of the row in its file, counted from 0, serves as custom id. */
    customId: text('custom_id'),
    content: text('content'),
    fields: text('fields'),
    /**
     * The number of the row in its file, counted from 1; null where it is index + 1, and where rows
     * are not counted.
     */
    row: integer('row'),
  },
  (table) => [
    primaryKey({ columns: [table.fileKey, table.index] }),
    // ListItems by customIds
    index('rows_custom_id').on(table.fileKey, table.customId).where(sql`custom_id is not null`),
    // ListItems by customIds
    index('rows_row').on(table.fileKey, table.row).where(sql`"row" is not null`),
    check('rows_text', sql`content is not null or fields is not null`),
  ],
);

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
    /**
     * SHA-256 of the whole input, to tell a repeated submit from another one under the same key.
     */
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
    /** USD; null until an answer with a known price came in. */
    costUsd: doublePrecision('cost_usd'),
    resentRequests: sum('resent_requests'),
    /**
     * Items a second, as an exponentially decaying sum over `rateWindowSeconds`, and when it was
     * last brought up to date.
     */
    rate: doublePrecision('rate').notNull().default(0),
    rateAt: instant('rate_at'),
    error: text('error'),
    errorCode: text('error_code'),
    /**
     * Why its provider is not asked just now, and since and until when; told again as long as that
     * lasts.
     */
    waitingReason: text('waiting_reason'),
    waitingSince: instant('waiting_since'),
    waitingUntil: instant('waiting_until'),
    webhookUrl: text('webhook_url'),
    /**
     * How it reads its file where that differs from what was chosen at upload. An empty
     * customIdField: the place in the file serves.
     */
    contentField: text('content_field'),
    customIdField: text('custom_id_field'),
    /** Stands before every custom id. */
    customIdPrefix: text('custom_id_prefix'),
    execution: execution('execution').notNull().default('LIVE'),
    /** PROVIDER_BATCH only: what the provider's window leaves undone is called live. */
    rescue: boolean('rescue').notNull().default(false),
    /**
     * Since when open chunks go to live calls although the batch is one for the provider's batch
     * API.
     */
    rescuedAt: instant('rescued_at'),
    /**
     * With a custom id field of its own: how many of its rows have theirs in `custom_ids`. No chunk
     * is claimed before all have.
     */
    idsIndexed: integer('ids_indexed'),
    /** Deleted for its owner; results and chunks are purged in the background, the batch last. */
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    uniqueIndex('batches_id').on(table.id), // readBatch
    index('batches_owner').on(table.owner, table.key), // listBatches
    index('batches_file').on(table.fileKey), // deleteFile, listDeletedFiles
    uniqueIndex('batches_idempotency_key')
      .on(table.owner, table.idempotencyKey)
      .where(sql`idempotency_key is not null`), // insertInlineBatch
    index('batches_active')
      .on(table.key)
      // ClaimChunks, expireBatches, endingBatches
      .where(sql`status in ('DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING')`),
    check(
      'batches_counts',
      sql`succeeded >= 0 and failed >= 0 and cancelled >= 0 and expired >= 0 and succeeded + failed + cancelled + expired <= total`,
    ),
    index('batches_unindexed').on(table.key).where(sql`ids_indexed < total`), // listUnindexed
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
  (table) => [primaryKey({ columns: [table.batchKey, table.customId] })], // itemsNamed
);

/**
 * How many items of a batch failed with a code, and one message as an example. Written by the flush
 * that writes the rows.
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

/**
 * A range of a batch's items: the unit a worker claims. The chunks of a batch always partition 0 to
 * total - 1.
 */
export const chunks = pgTable(
  'chunks',
  {
    batchKey: key('batch_key').notNull(),
    first: integer('first').notNull(),
    last: integer('last').notNull(),
    /** Items of the range that have a row in `results`. */
    done: integer('done').notNull().default(0),
    /**
     * Requests may have gone out for items up to this index under the present lease; first - 1 when
     * none.
     */
    sentTo: integer('sent_to').notNull(),
    state: chunkState('state').notNull().default('open'),
    /** How often a worker died with requests for these items under way. */
    crashes: smallint('crashes').notNull().default(0),
    /** How many provider batches ended without an answer for all of its items. */
    rounds: smallint('rounds').notNull().default(0),
    /**
     * No provider batch takes it any more: a provider's window has passed over its items, and they
     * are to be called live.
     */
    leftToRescue: boolean('left_to_rescue').notNull().default(false),
    /**
     * The worker that holds the lease, whose own row in `workers` says how long; or the id of the
     * provider batch that its items are in.
     */
    owner: text('owner'),
  },
  (table) => [
    primaryKey({ columns: [table.batchKey, table.first] }),
    // ClaimChunks, finishChunks
    index('chunks_open').on(table.batchKey, table.crashes, table.first).where(sql`state = 'open'`),
    index('chunks_leased').on(table.batchKey).where(sql`state = 'leased'`), // counts, reclaimChunks
    check('chunks_owner', sql`(owner is not null) = (state = 'leased')`),
    check('chunks_range', sql`first <= last and done between 0 and last - first + 1`),
  ],
);

/**
 * What is to be done next with a provider batch: make and upload its input, create it, wait for it,
 * read its results; nothing any more.
 */
export const providerBatchState = pgEnum('provider_batch_state', [
  'preparing',
  'creating',
  'working',
  'reading',
  'done',
]);

/**
 * The jobs that a batch was cut into for its provider's own batch API. A row stands before anything
 * is sent, and its id goes with the job, so that one whose creation nobody remembers is found again
 * instead of paid twice.
 */
export const providerBatches = pgTable(
  'provider_batches',
  {
    key: key('key').primaryKey().generatedByDefaultAsIdentity(),
    batchKey: key('batch_key').notNull(),
    /** Ours, public. */
    id: text('id').notNull(),
    /**
     * Of all its requests: `provider/name`. Requests of a chat batch may name several, which go to
     * jobs of their own.
     */
    model: text('model').notNull(),
    state: providerBatchState('state').notNull().default('preparing'),
    /** Where the chunks begin whose items are in it. */
    firsts: integer('firsts').array().notNull(),
    /** Requests in its input; 0 before that is made. */
    requests: integer('requests').notNull().default(0),
    /**
     * The items of its input, a line each, in order: its chunks may have further items, which name
     * another model. Empty before it is made.
     */
    items: itemSet('items').notNull().default(sql`'{}'`),
    /** The id of the input that was uploaded, where the provider takes files. */
    inputId: text('input_id'),
    /** The provider's own id; null as long as it is not known to exist. */
    providerId: text('provider_id'),
    /** In the provider's own words; in ours before it exists there. */
    status: text('status').notNull().default('preparing'),
    /** What the provider says of its requests. */
    succeeded: integer('succeeded').notNull().default(0),
    failed: integer('failed').notNull().default(0),
    cancelled: integer('cancelled').notNull().default(0),
    expired: integer('expired').notNull().default(0),
    /** JSON of where the provider's results are, for the adapter. */
    results: text('results'),
    /** When the provider gives up what it has not done. */
    expiresAt: instant('expires_at'),
    /** Since when it is to end before its time. */
    cancelledAt: instant('cancelled_at'),
    /** The worker that does the present step. */
    worker: text('worker'),
    /** When the next step is due. */
    dueAt: instant('due_at').notNull().defaultNow(),
    /** Steps that failed one after the other. */
    failures: integer('failures').notNull().default(0),
    /**
     * Live calls that may be under way for its invalid answers: to be sent again should the worker
     * die.
     */
    liveCalls: integer('live_calls').notNull().default(0),
    createdAt: instant('created_at').notNull().defaultNow(),
    endedAt: instant('ended_at'),
  },
  (table) => [
    uniqueIndex('provider_batches_id').on(table.id), // recordResults' owners
    index('provider_batches_batch').on(table.batchKey, table.key), // listProviderBatches
    index('provider_batches_due').on(table.dueAt).where(sql`state <> 'done'`), // claimProviderBatch
  ],
);

/**
 * One row a live process that works. A worker whose row has expired is dead, whatever it thinks
 * itself.
 */
export const workers = pgTable('workers', {
  id: text('id').primaryKey(),
  /**
   * Names the set of process ids that `pid` is one of, so that a process that starts can tell which
   * of its neighbours died.
   */
  machine: text('machine').notNull(),
  pid: integer('pid').notNull(),
  startedAt: instant('started_at').notNull().defaultNow(),
  expiresAt: instant('expires_at').notNull(),
});

/** What an answer cost and how it ended. `count`: a column of a number. */
const answerColumns = <Count>(count: (name: string) => Count) => ({
  batchKey: key('batch_key').notNull(),
  seq: bigint('seq', { mode: 'number' }).notNull(),
  completedAt: instant('completed_at').notNull(),
  index: integer('index').notNull(),
  status: finalStatus('status').notNull(),
  attempts: count('attempts'),
  requests: count('requests'),
  inputTokens: count('input_tokens'),
  cachedInputTokens: count('cached_input_tokens'),
  outputTokens: count('output_tokens'),
  costUsd: doublePrecision('cost_usd'),
  /** JSON text, never jsonb. */
  output: text('output'),
  errorCode: text('error_code'),
  errorMessage: text('error_message'),
});

/**
 * The one final answer of an item. Append-only; the primary key is what makes results exactly-once.
 */
export const results = pgTable(
  'results',
  {
    ...answerColumns((name) => integer(name).notNull().default(0)),
    completedAt: instant('completed_at').notNull().defaultNow(),
    /** The beginning of the last answer that was refused. */
    rejectedAnswer: text('rejected_answer'),
  },
  (table) => [
    primaryKey({ columns: [table.batchKey, table.index] }),
    index('results_seq').on(table.batchKey, table.seq), // readResultsAfter
    // ListItems by status, errorCodes
    index('results_unsuccessful').on(table.batchKey, table.index).where(sql`status <> 'SUCCEEDED'`),
    check('results_error', sql`(error_code is not null) = (status = 'FAILED')`),
  ],
);

/** Answers that a retry put aside: what they cost is still the item's. */
export const supersededResults = pgTable(
  'superseded_results',
  answerColumns((name) => integer(name).notNull()),
  (table) => [primaryKey({ columns: [table.batchKey, table.index, table.seq] })], // earlierAnswers
);

export const webhookState = pgEnum('webhook_state', ['pending', 'delivered', 'abandoned']);

/**
 * The outbox: one row each time a batch with a webhook ends, written by the statement that ends it.
 * A row is pending until an attempt succeeds or there are to be no more; a pending one with a lease
 * is being sent just now.
 */
export const webhooks = pgTable(
  'webhooks',
  {
    key: key('key').primaryKey().generatedByDefaultAsIdentity(),
    batchKey: key('batch_key').notNull(),
    /** The `webhook-id` header: the same for every attempt. */
    id: text('id').notNull(),
    url: text('url').notNull(),
    /** Owner and host of the URL: what may be called only so often at once. */
    endpoint: text('endpoint').notNull(),
    /** The JSON that is sent and signed: the batch as it ended, the same for every attempt. */
    body: text('body').notNull(),
    state: webhookState('state').notNull().default('pending'),
    attempts: integer('attempts').notNull().default(0),
    /** When the next attempt is due; while one is under way, when others may take it for lost. */
    dueAt: instant('due_at').notNull().defaultNow(),
    /** Names the attempt that is under way; only its holder may record it. */
    lease: uuid('lease'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex('webhooks_id').on(table.id), // no statement; a receiver tells messages apart by it
    // ClaimWebhooks
    index('webhooks_due').on(table.endpoint, table.dueAt).where(sql`state = 'pending'`),
    index('webhooks_leased').on(table.endpoint).where(sql`lease is not null`), // claimWebhooks
    index('webhooks_batch').on(table.batchKey, table.key), // listDeliveries
    check('webhooks_lease', sql`lease is null or state = 'pending'`),
  ],
);

/** The delivery log: one row an attempt that came to an end. */
export const webhookAttempts = pgTable(
  'webhook_attempts',
  {
    webhookKey: key('webhook_key').notNull(),
    attempt: integer('attempt').notNull(),
    /** When it began. */
    at: instant('at').notNull().defaultNow(),
    /** HTTP status; null when none came back. */
    statusCode: integer('status_code'),
    /** Null after a success. Says no more than what the endpoint answered. */
    error: text('error'),
    nextAttemptAt: instant('next_attempt_at'),
  },
  (table) => [primaryKey({ columns: [table.webhookKey, table.attempt] })],
);
