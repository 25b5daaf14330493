/** Keys that owners come in with. */
import { index, pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** One row a key, also when it was revoked a while ago: a server with a row here is never open. */
export const apiKeys = pgTable(
  'api_keys',
  {
    /** The public part of the key. */
    id: text('id').primaryKey(),
    owner: text('owner').notNull(),
    /** For people. */
    name: text('name').notNull(),
    /** SHA-256 of the whole key, which is kept nowhere. */
    hash: text('hash').notNull(),
    /** Names with commas between them. */
    scopes: text('scopes').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** To the minute; null: never. */
    lastUsedAt: instant('last_used_at'),
    /** Null: never. */
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
  },
  (table) => [
    // Needed by listApiKeys, countKeysOf.
    index('api_keys_owner').on(table.owner, table.createdAt),
  ],
);
