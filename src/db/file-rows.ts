/** The rows of files: read by page and by custom id, and removed piece by piece. */
import { and, eq, gte, lt, max } from 'drizzle-orm';
import { cutBehind, type PlaceInPage } from './bytes.ts';
import type { Builder, Sql } from './driver/client.ts';
import { rows } from './tables.ts';

/** A row as it is stored; `decodeRow` says what it holds. */
export interface StoredRow {
  index: number;
  customId: string | null;
  content: string | null;
  fields: string | null;
  /** Its number in the file where that is not index + 1; null for all others. */
  row: number | null;
}

/**
 * Rows of a file in order, behind an index (-1: from the first), cut behind `maxBytes` of text but
 * with one row at least.
 */
export async function readFileRows(
  sql: Sql,
  fileKey: bigint,
  page: { afterIndex: number; limit: number; maxBytes: number },
): Promise<(StoredRow & PlaceInPage)[]> {
  const found = sql`
    select index, custom_id as "customId", content, fields, row,
           coalesce(octet_length(content), 0) + coalesce(octet_length(fields), 0) as octets
    from rows
    where file_key = ${fileKey} and index > ${page.afterIndex}
    order by index limit ${page.limit}`;
  return await sql<(StoredRow & PlaceInPage)[]>`
    ${cutBehind(sql, found, { order: sql`index`, maxBytes: page.maxBytes })}`;
}

/**
 * The rows of a file at some indexes, in the order of these, cut behind `maxBytes` of text but with
 * one row at least.
 */
export async function readRowsAt(
  sql: Sql,
  fileKey: bigint,
  { indexes, maxBytes }: { indexes: readonly number[]; maxBytes: number },
): Promise<(StoredRow & PlaceInPage)[]> {
  const found = sql`
    select r.index, r.custom_id as "customId", r.content, r.fields, r.row, given.at,
           coalesce(octet_length(r.content), 0) + coalesce(octet_length(r.fields), 0) as octets
    from unnest(${`{${indexes.join()}}`}::int[]) with ordinality as given (index, at)
    join rows r on r.file_key = ${fileKey} and r.index = given.index`;
  return await sql<(StoredRow & PlaceInPage)[]>`
    ${cutBehind(sql, found, { order: sql`at`, maxBytes })}`;
}

/** The first indexes of the rows with a custom id. */
export async function findRows(
  { query }: Builder,
  fileKey: bigint,
  { customId, limit }: { customId: string; limit: number },
): Promise<number[]> {
  const found = await query
    .select({ index: rows.index })
    .from(rows)
    .where(and(eq(rows.fileKey, fileKey), eq(rows.customId, customId)))
    .orderBy(rows.index)
    .limit(limit);
  return found.map(({ index }) => index);
}

/** One behind the last index of a file's rows; 0 when there are none. */
export async function readRowsEnd({ query }: Builder, fileKey: bigint): Promise<number> {
  const [last] = await query
    .select({ index: max(rows.index) })
    .from(rows)
    .where(eq(rows.fileKey, fileKey));
  return (last?.index ?? -1) + 1;
}

/** Removes the rows [first, end) of a file. */
export async function deleteRows(
  { query }: Builder,
  fileKey: bigint,
  { first, end }: { first: number; end: number },
): Promise<void> {
  await query
    .delete(rows)
    .where(and(eq(rows.fileKey, fileKey), gte(rows.index, first), lt(rows.index, end)));
}
