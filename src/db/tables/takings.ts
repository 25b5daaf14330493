/** The takings of owners that LIMITS names. */
import { date, pgTable, text } from 'drizzle-orm/pg-core';
import { sum } from './columns.ts';

/** A row an owner with limits. To take something is to change it, and so to see others' takings. */
export const takings = pgTable('takings', {
  owner: text('owner').primaryKey(),
  /** Number of times that something was taken. */
  turn: sum('turn'),
  /** In UTC by the clock of the database. */
  day: date('day').notNull(),
  /** Started on that day. */
  items: sum('items'),
});
