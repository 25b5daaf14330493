/** Owners that were erased, kept for as long as calls of before may still run. */
import { pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** A row an erasure. The owner's name is in no table afterwards, so a hash tells whose it was. */
export const erasures = pgTable('erasures', {
  /** The name that what was spent goes by. */
  erasedAs: text('erased_as').primaryKey(),
  /** SHA-256 in hexadecimal of `erasedAs` and the owner's name behind it. */
  hash: text('hash').notNull(),
  at: instant('at').notNull().defaultNow(),
});
