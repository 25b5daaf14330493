/** Uploaded datasets and items given inline, with their rows. */
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { instant, key } from './columns.ts';

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
     * The way that bytes were read; null for inline items and files of servers that counted no
     * rows.
     */
    encoding: text('encoding'),
    /** Purpose that an upload of OpenAI's API gave; null for any other file. */
    purpose: text('purpose'),
    /**
     * JSON array of {line, code, message, param}: lines of OpenAI's API that are not requests, the
     * first 100. A batch over the file fails with them.
     */
    problems: text('problems').notNull().default('[]'),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** Null: the file stays until it is deleted. */
    expiresAt: instant('expires_at'),
    /** The batch that came with the upload was refused then. A day later it goes, if unused. */
    leftAt: instant('left_at'),
    /** Unknown to its owner from then on; the file goes when no batch needs it. */
    hiddenAt: instant('hidden_at'),
    /** When the content of a batch over it was deleted last. Its rows go with that of the last. */
    contentDeletedAt: instant('content_deleted_at'),
    /** Rows before this index have nothing left of them. */
    contentBlankedTo: integer('content_blanked_to').notNull().default(0),
    /** Deleted for its owner; the rows are purged in the background, the file last. */
    deletedAt: instant('deleted_at'),
  },
  (table) => [
    // Needed by readFile, deleteFile, insertFileBatch.
    uniqueIndex('files_id').on(table.id),
    // Needed by listFiles, countFiles.
    index('files_owner').on(table.owner, table.key).where(sql`listed`),
    // Needed by countBytes.
    index('files_bytes').on(table.owner, table.sizeBytes).concurrently(),
    // Needed by listDeletedFiles.
    index('files_deleted').on(table.key).where(sql`deleted_at is not null`),
    // Needed by deleteOldFiles.
    index('files_uploaded')
      .on(table.createdAt)
      .where(sql`listed and deleted_at is null`)
      .concurrently(),
    // Needed by deleteLeftFiles.
    index('files_left')
      .on(table.leftAt)
      .where(sql`left_at is not null and deleted_at is null`)
      .concurrently(),
    // Needed by deleteBlankedFiles, listBlankable.
    index('files_unblanked')
      .on(table.key)
      .where(sql`content_deleted_at is not null and content_blanked_to < item_count`)
      .concurrently(),
    // Needed by deleteUnusedFiles.
    index('files_ending')
      .on(table.key)
      .where(sql`hidden_at is not null or expires_at is not null`)
      .concurrently(),
  ],
);

/** Uploads that are under way: whose lease runs out has died, and its rows are removed. */
export const ingests = pgTable('ingests', {
  fileKey: key('file_key').primaryKey(),
  expiresAt: instant('expires_at').notNull(),
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
    // Needed by itemsNamed, findRows, countCustomId.
    index('rows_custom_id').on(table.fileKey, table.customId).where(sql`custom_id is not null`),
    // Needed by itemsNamed.
    index('rows_row').on(table.fileKey, table.row).where(sql`"row" is not null`),
    check('rows_text', sql`content is not null or fields is not null`),
  ],
);
