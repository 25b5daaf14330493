/** Spending, kept when the batch that it was for is deleted, and limits of it. */
import { doublePrecision, index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { execution } from './batches.ts';
import { instant, key, sum } from './columns.ts';

/**
 * A row a batch, month, model and lane. Synchronous calls have a row a process, whose batch key is
 * below 0. Sums alone, nothing of what was asked.
 */
export const spending = pgTable(
  'spending',
  {
    batchKey: key('batch_key').notNull(),
    /** In UTC by the clock of the database, as 2026-11. */
    month: text('month').notNull(),
    owner: text('owner').notNull(),
    /** As provider/name. */
    model: text('model').notNull(),
    execution: execution('execution').notNull(),
    requests: sum('requests'),
    /** Requests of which no usage came, those that were sent again among them. */
    unmetered: sum('unmetered'),
    inputTokens: sum('input_tokens'),
    cachedInputTokens: sum('cached_input_tokens'),
    cacheWriteTokens: sum('cache_write_tokens'),
    cacheWriteLongTokens: sum('cache_write_long_tokens'),
    reasoningTokens: sum('reasoning_tokens'),
    outputTokens: sum('output_tokens'),
    /** USD; null while no answer had a known price. */
    costUsd: doublePrecision('cost_usd'),
  },
  (table) => [
    primaryKey({ columns: [table.batchKey, table.month, table.model, table.execution] }),
    // Needed by readSpending, ownerMoney.
    index('spending_owner').on(table.owner, table.month),
  ],
);

/**
 * Expected cost of calls outside of batches, by owner and process. The row without a process is the
 * owner's gate: to reckon what is left is to change it, and so to see whether others did.
 */
export const reservations = pgTable(
  'reservations',
  {
    owner: text('owner').notNull(),
    /** Empty: the gate. */
    process: text('process').notNull(),
    heldUsd: doublePrecision('held_usd').notNull().default(0),
    /** Number of times that the owner's money was reckoned. */
    reckoned: sum('reckoned'),
    /** A process that tells nothing more by then is dead, and holds nothing. */
    expiresAt: instant('expires_at'),
  },
  (table) => [primaryKey({ columns: [table.owner, table.process] })],
);
