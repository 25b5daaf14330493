/** Files: they come with their rows, are read, and go when no batch needs them. */
import { and, asc, eq, getTableColumns, gt, inArray, isNull, or, type SQL, sql } from 'drizzle-orm';
import { cutBehind, type PlaceInPage, placed, placesWithin } from './bytes.ts';
import type { Builder, Sql } from './driver/client.ts';
import { boundsOf, type KeyPage, orderOf } from './key-page.ts';
import { files } from './tables.ts';
import { isTaken, type Taking, takenFirst } from './takings.ts';

/**
 * A file as its upload has left it. `columns`, `rejections`, `problems` and `warnings` are JSON
 * text.
 */
export interface NewFile {
  key: bigint;
  id: string;
  owner: string;
  name: string;
  format: string;
  sizeBytes: number;
  itemCount: number;
  columns: string;
  contentField: string | null;
  customIdField: string | null;
  rejectedCount: number;
  rejections: string;
  problems: string;
  blankCount: number;
  warnings: string;
  encoding: string;
  purpose: string | null;
  /** Null: it stays until it is deleted. */
  expiresInSeconds: number | null;
}

/** A line of a file of OpenAI's API that is not a request, in the words of that API. */
export interface StoredProblem {
  /** Counted from 1, blank lines too. */
  line: number;
  code: string;
  message: string;
  /** The member that is wrong. */
  param: string | null;
}

/**
 * Without its rejections and problems. `columns` and `warnings` are JSON text; a CSV file's columns
 * are its header's cells as they came.
 */
export type FileRecord = Omit<typeof files.$inferSelect, 'rejections' | 'problems'>;

/** All columns but rejections and problems, which may be long and are wanted rarely. */
export const fileColumns = leaveOut(getTableColumns(files));

function leaveOut<Columns extends { rejections: unknown; problems: unknown }>({
  rejections,
  problems,
  ...columns
}: Columns) {
  return columns;
}

/** True where a file came by OpenAI's API, with lines that are not requests. */
export function hasProblems({ purpose, rejectedCount }: FileRecord): boolean {
  return purpose !== null && rejectedCount > 0;
}

/** Bytes of what may be large of a file; known without reading it. */
const octets = sql<number>`octet_length(${files.columns}) + octet_length(${files.warnings})`;

/**
 * Enters a file whose rows are in, where its taking fits, and ends its ingest. `result` false: the
 * ingest's lease had run out, and the rows are being removed.
 */
export async function insertFile(
  sql: Sql,
  file: NewFile,
  taking: Taking | null,
): Promise<{ result: boolean; isTaken: boolean }> {
  const [inserted] = await sql<{ result: boolean; isTaken: boolean }[]>`
    with ${takenFirst(sql, taking)}
    ended as (
      delete from ingests
      where file_key = ${file.key} and expires_at > now() and ${isTaken(sql, taking)}
      returning file_key
    ),
    inserted as (
      insert into files (key, id, owner, listed, name, format, size_bytes, item_count, columns,
                         content_field, custom_id_field, rejected_count, rejections, problems,
                         blank_count, warnings, encoding, purpose, expires_at)
      select file_key, ${file.id}, ${file.owner}, true, ${file.name}, ${file.format}, ${file.sizeBytes},
             ${file.itemCount}, ${file.columns}, ${file.contentField}, ${file.customIdField},
             ${file.rejectedCount}, ${file.rejections}, ${file.problems},
             ${file.blankCount}, ${file.warnings}, ${file.encoding}, ${file.purpose},
             now() + make_interval(secs => ${file.expiresInSeconds})
      from ended
      returning key
    )
    select exists (select from inserted) as result, ${isTaken(sql, taking)} as "isTaken"`;
  return inserted ?? { result: false, isTaken: false };
}

/**
 * A file that was uploaded, and neither deleted nor at its end; items given inline are no file to
 * their owner.
 */
export async function readFile(db: Builder, owner: string, id: string): Promise<FileRecord | null> {
  const [file] = await db.query
    .select(fileColumns)
    .from(files)
    .where(and(eq(files.id, id), ofOwner(owner)));
  return file ?? null;
}

/**
 * Rows of files that were refused at upload, as JSON text of {row, reason}; cut behind `maxBytes`,
 * but with one file at least.
 */
export async function readRejections(
  sql: Sql,
  fileKeys: readonly bigint[],
  maxBytes: number,
): Promise<({ key: bigint; rejections: string } & PlaceInPage)[]> {
  const found = sql`
    select key, rejections, octet_length(rejections) as octets
    from files where key = any(${fileKeys.map(String)}::text[]::bigint[])`;
  return await sql<({ key: bigint; rejections: string } & PlaceInPage)[]>`
    ${cutBehind(sql, found, { order: sql`key`, maxBytes })}`;
}

/** A page of an owner's files. */
export async function listFiles(
  db: Builder,
  owner: string,
  page: KeyPage,
): Promise<(FileRecord & PlaceInPage)[]> {
  const order = orderOf(files.key, page);
  const sizes = await db.query
    .select({ key: files.key, octets })
    .from(files)
    .where(and(ofOwner(owner), boundsOf(files.key, page)))
    .orderBy(order)
    .limit(page.limit);
  return await readWithin(db, sizes, { order, maxBytes: page.maxBytes });
}

/**
 * Those files that are neither deleted nor at their end, in the order of their keys; cut behind
 * `maxBytes`, but with one file at least.
 */
export async function readFilesWithin(
  db: Builder,
  fileKeys: readonly bigint[],
  maxBytes: number,
): Promise<(FileRecord & PlaceInPage)[]> {
  const order = asc(files.key);
  const sizes = await db.query
    .select({ key: files.key, octets })
    .from(files)
    .where(and(inArray(files.key, [...fileKeys]), isThere))
    .orderBy(order);
  return await readWithin(db, sizes, { order, maxBytes });
}

async function readWithin(
  db: Builder,
  sizes: readonly { key: bigint; octets: number }[],
  { order, maxBytes }: { order: SQL; maxBytes: number },
): Promise<(FileRecord & PlaceInPage)[]> {
  const places = placesWithin(sizes, maxBytes);
  if (places.size === 0) return [];
  const found = await db.query
    .select(fileColumns)
    .from(files)
    .where(inArray(files.key, [...places.keys()]))
    .orderBy(order);
  return placed(found, places);
}

export async function countFiles(db: Builder, owner: string): Promise<number> {
  return await db.query.$count(files, ofOwner(owner));
}

/** The file is neither deleted nor at its end. Batches that use it read it all the same. */
const isThere = and(
  isNull(files.deletedAt),
  isNull(files.hiddenAt),
  or(isNull(files.expiresAt), gt(files.expiresAt, sql`now()`)),
);

/** The same of a row `f` of `files`. */
export function fileIsThere(sql: Sql) {
  return sql`(f.deleted_at is null and f.hidden_at is null
              and (f.expires_at is null or f.expires_at > now()))`;
}

function ofOwner(owner: string): SQL | undefined {
  return and(eq(files.owner, owner), files.listed, isThere);
}

/** The lines of a file that are not requests: the first, in order. */
export async function readProblems({ query }: Builder, fileKey: bigint): Promise<StoredProblem[]> {
  const [file] = await query
    .select({ problems: files.problems })
    .from(files)
    .where(eq(files.key, fileKey));
  return file ? (JSON.parse(file.problems) as StoredProblem[]) : [];
}

/**
 * Deletes a file for its owner, unless a batch that is not deleted uses it. Its rows go later, and
 * only while that is still so: a batch that is submitted in the same instant keeps them.
 */
export async function deleteFile(
  sql: Sql,
  owner: string,
  id: string,
): Promise<'deleted' | 'in_use' | 'unknown'> {
  const [done] = await sql<{ known: boolean; deleted: boolean }[]>`
    with file as materialized (
      select key from files f
      where id = ${id} and owner = ${owner} and listed and ${fileIsThere(sql)}
      for update
    ),
    deleted as (
      update files set deleted_at = now()
      where key = (select key from file)
        and not exists (select from batches where file_key = files.key and deleted_at is null)
      returning key
    )
    select exists (select from file) as known, exists (select from deleted) as deleted`;
  if (!done?.known) return 'unknown';
  return done.deleted ? 'deleted' : 'in_use';
}

/**
 * Hides a file from its owner, whether or not batches use it: they go on. False for an unknown
 * file.
 */
export async function hideFile({ query }: Builder, owner: string, id: string): Promise<boolean> {
  const hidden = await query
    .update(files)
    .set({ hiddenAt: sql`now()` })
    .where(and(eq(files.id, id), ofOwner(owner)))
    .returning({ key: files.key });
  return hidden.length === 1;
}

/** A list that is paged through goes on behind a file that was hidden just before. */
const hiddenSeconds = 60;

/** Deletes files that were hidden or are at their end: their rows go when no batch uses them. */
export async function deleteUnusedFiles(sql: Sql): Promise<void> {
  await sql`
    update files set deleted_at = now()
    where deleted_at is null
      and (hidden_at <= now() - make_interval(secs => ${hiddenSeconds}) or expires_at <= now())`;
}

/** Deleted files that no batch uses any more. */
export async function listDeletedFiles(sql: Sql): Promise<bigint[]> {
  const deleted = await sql<{ key: bigint }[]>`
    select key from files
    where deleted_at is not null
      and not exists (select from batches where file_key = files.key and deleted_at is null)
    order by key limit 100`;
  return deleted.map(({ key }) => key);
}

/** Removes a deleted file that has no rows any more, once its batches have gone too. */
export async function removeFile(sql: Sql, fileKey: bigint): Promise<void> {
  await sql`
    delete from files
    where key = ${fileKey} and deleted_at is not null
      and not exists (select from rows where file_key = files.key)
      and not exists (select from batches where file_key = files.key)`;
}
