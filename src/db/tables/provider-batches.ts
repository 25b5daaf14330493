/** Jobs at a provider's batch API. */
import { sql } from 'drizzle-orm';
import { index, integer, pgEnum, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { instant, itemSet, key } from './columns.ts';

/**
 * The next step of a provider batch: make and upload its input, create it, wait for it, read its
 * results; none any more.
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
 * is sent, and its id goes with the job. So a job whose creation nobody remembers is found again,
 * and not paid twice.
 */
export const providerBatches = pgTable(
  'provider_batches',
  {
    key: key('key').primaryKey().generatedByDefaultAsIdentity(),
    batchKey: key('batch_key').notNull(),
    /** Ours, public. */
    id: text('id').notNull(),
    /**
     * Model of all its requests: `provider/name`. Requests of a chat batch may name several, which
     * go to jobs of their own.
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
    /** The provider's counts of its requests. */
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
    /** Live calls that may be under way for invalid answers: sent again should the worker die. */
    liveCalls: integer('live_calls').notNull().default(0),
    createdAt: instant('created_at').notNull().defaultNow(),
    endedAt: instant('ended_at'),
  },
  (table) => [
    // Needed by reclaimChunks.
    uniqueIndex('provider_batches_id').on(table.id),
    // Needed by listProviderBatches.
    index('provider_batches_batch').on(table.batchKey, table.key),
    // Needed by holdProviderBatch.
    index('provider_batches_due').on(table.dueAt).where(sql`state <> 'done'`),
  ],
);
