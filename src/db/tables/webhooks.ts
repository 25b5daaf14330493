/** The outbox of webhooks and their log. */
import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { instant, key } from './columns.ts';

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
    /** Owner and host of the URL, of which a host may be asked only so often. */
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
    // Needed by insertRedelivery.
    uniqueIndex('webhooks_id').on(table.id),
    // Needed by claimWebhooks.
    index('webhooks_due').on(table.endpoint, table.dueAt).where(sql`state = 'pending'`),
    // Needed by claimWebhooks.
    index('webhooks_leased').on(table.endpoint).where(sql`lease is not null`),
    // Needed by listDeliveries, insertRedelivery, deleteWebhooks.
    index('webhooks_batch').on(table.batchKey, table.key),
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
    /** As in webhooks; null of attempts that an older version made. */
    endpoint: text('endpoint'),
  },
  (table) => [
    primaryKey({ columns: [table.webhookKey, table.attempt] }),
    // Needed by claimWebhooks.
    index('webhook_attempts_host').on(sql`split_part(endpoint, ' ', 2)`, table.at).concurrently(),
  ],
);

/**
 * Attempts of the last minute, also under way, whose batch was deleted: a host may be asked only so
 * often, whatever is deleted. Names are hashes, as nothing is to tell whose they were.
 */
export const deletedAttempts = pgTable('deleted_attempts', {
  key: key('key').primaryKey().generatedByDefaultAsIdentity(),
  /** MD5 of the endpoint, and of its host alone. */
  endpoint: text('endpoint').notNull(),
  host: text('host').notNull(),
  /** When it began. */
  at: instant('at').notNull(),
  /** Lease of the attempt while it is under way. */
  lease: uuid('lease'),
});
