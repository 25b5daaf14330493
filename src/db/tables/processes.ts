/** Processes of Winnow: their own words, and what they keep for each other. */
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** One row a live process. An expired one is dead, whatever it thinks. */
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
  /** Calls of batches that run at once. Null of a process that only serves, or is an older one. */
  concurrency: integer('concurrency'),
  /** JSON of how its providers do, for people. Null before its first call. */
  state: text('state'),
});

/** Settings that a server makes once and keeps: the secrets that sign webhooks and links. */
export const settings = pgTable('settings', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
});
