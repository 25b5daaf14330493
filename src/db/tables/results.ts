/** The final answers of items, and those that a retry put aside. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  doublePrecision,
  index,
  integer,
  pgEnum,
  pgTable,
  primaryKey,
  real,
  smallint,
  text,
} from 'drizzle-orm/pg-core';
import { instant, key } from './columns.ts';

/** An item without a row in `results` is PENDING or PROCESSING; these four are final. */
export const finalStatuses = ['SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;
export type FinalStatus = (typeof finalStatuses)[number];
export const finalStatus = pgEnum('final_status', finalStatuses);

/** The cost of an answer, and its end. `count`: a column of a number. */
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
  /** Null is 0, here and below: a null takes no byte, and hardly any answer has one of these. */
  cacheWriteTokens: integer('cache_write_tokens'),
  /** The part of the former that was written for an hour. */
  cacheWriteLongTokens: integer('cache_write_long_tokens'),
  reasoningTokens: integer('reasoning_tokens'),
  /** Requests of which no usage came. */
  unmetered: smallint('unmetered'),
  costUsd: doublePrecision('cost_usd'),
  /** JSON text, never jsonb. */
  output: text('output'),
  errorCode: text('error_code'),
  errorMessage: text('error_message'),
});

/** The final answer of an item. Append-only; the primary key makes results exactly-once. */
export const results = pgTable(
  'results',
  {
    ...answerColumns((name) => integer(name).notNull().default(0)),
    completedAt: instant('completed_at').notNull().defaultNow(),
    /** The beginning of the last answer that was refused. */
    rejectedAnswer: text('rejected_answer'),
    /**
     * Confidence of an answer of label, 0 to 1. Null where nothing supports a confidence, and in
     * rows that are older than the column: `confidenceOf` reads both.
     */
    confidence: real('confidence'),
  },
  (table) => [
    primaryKey({ columns: [table.batchKey, table.index] }),
    // Needed by readResultsAfter, countLabels, countConfidences, countByTime.
    index('results_seq').on(table.batchKey, table.seq),
    // Needed by listItems, countItems, retryItems.
    index('results_unsuccessful').on(table.batchKey, table.index).where(sql`status <> 'SUCCEEDED'`),
    check('results_error', sql`(error_code is not null) = (status = 'FAILED')`),
  ],
);

/** Answers that a retry put aside: what they cost is still the item's. */
export const supersededResults = pgTable(
  'superseded_results',
  answerColumns((name) => integer(name).notNull()),
  (table) => [primaryKey({ columns: [table.batchKey, table.index, table.seq] })],
);

/**
 * Counts of the answers of a batch, up to a `seq`, so that a process need not count all again. Only
 * of large batches; whatever is missing is counted when it is read.
 */
export const batchSummaries = pgTable(
  'batch_summaries',
  {
    batchKey: key('batch_key').notNull(),
    /** Which of the summaries of a batch: as the code names them. */
    field: text('field').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** Rows of `results` up to that: of any status. */
    rows: integer('rows').notNull(),
    /** JSON text. */
    counts: text('counts').notNull(),
  },
  (table) => [primaryKey({ columns: [table.batchKey, table.field] })],
);
