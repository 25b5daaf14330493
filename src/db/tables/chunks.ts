/** The queue, one row a range of items. */
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  pgEnum,
  pgTable,
  primaryKey,
  smallint,
  text,
} from 'drizzle-orm/pg-core';
import { key } from './columns.ts';

/**
 * held: nobody takes its items yet, because the rows of a preview go first. A new state stands at
 * the end, where a type can be extended.
 */
export const chunkState = pgEnum('chunk_state', ['open', 'leased', 'done', 'held']);

/** The unit that a worker claims. A batch's chunks always partition 0 to total - 1. */
export const chunks = pgTable(
  'chunks',
  {
    batchKey: key('batch_key').notNull(),
    first: integer('first').notNull(),
    last: integer('last').notNull(),
    /** Items of the range that have a row in `results`. */
    done: integer('done').notNull().default(0),
    /** The last item that a request may have gone out for under the present lease, or first - 1. */
    sentTo: integer('sent_to').notNull(),
    state: chunkState('state').notNull().default('open'),
    /**
     * Requests beyond the first of each item (repairs, enlarged limits) that may have gone out
     * under the present lease.
     */
    repeats: smallint('repeats').notNull().default(0),
    /** Items of the range that take the answer of an identical row. */
    twins: smallint('twins').notNull().default(0),
    /** Its one item is of the preview, and goes first; null of all others. */
    inPreview: boolean('in_preview'),
    /** Number of workers that died with requests for these items under way. */
    crashes: smallint('crashes').notNull().default(0),
    /** Number of provider batches that ended without an answer for all of its items. */
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
    holder: text('owner'),
  },
  (table) => [
    primaryKey({ columns: [table.batchKey, table.first] }),
    // Needed by claimChunks, planProviderBatch, finishChunks, listFatal.
    index('chunks_open').on(table.batchKey, table.crashes, table.first).where(sql`state = 'open'`),
    // Needed by reclaimChunks, releaseUnknownChunks, endFailure, readBatch, listItems.
    index('chunks_leased').on(table.batchKey).where(sql`state = 'leased'`),
    check('chunks_owner', sql`(owner is not null) = (state = 'leased')`),
    check('chunks_range', sql`first <= last and done between 0 and last - first + 1`),
  ],
);

/** Items that take the answer of an identical row of their batch. */
export const twins = pgTable(
  'twins',
  {
    batchKey: key('batch_key').notNull(),
    index: integer('index').notNull(),
    /** The first item with the same text: the one that is asked. */
    leader: integer('leader').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.batchKey, table.index] }),
    // Needed by recordTwins.
    index('twins_leader').on(table.batchKey, table.leader, table.index),
  ],
);
