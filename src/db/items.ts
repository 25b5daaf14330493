/** Items: the rows of a file seen from a batch, with the result where there is one. */
import type { ItemErrorCode } from '../core/errors.ts';
import { type AnswerFilter, answerConditions } from './answer-filter.ts';
import { cutBehind, type PlaceInPage } from './bytes.ts';
import { confidenceOf } from './confidence.ts';
import type { Sql } from './driver/client.ts';
import { isAsked } from './guards.ts';
import {
  type ItemFilter,
  type ItemSource,
  type ItemStatus,
  itemConditions,
} from './item-filter.ts';
import { itemText, type RowCut } from './item-text.ts';
import { earlierUsage, itemUsage, type UsageRecord } from './usage.ts';

/** A worker's view of an item: the row as it is stored. */
export interface OpenItem {
  index: number;
  customId: string | null;
  content: string | null;
  fields: string | null;
  /** Its number in the file where that is not index + 1; null where it is, or rows have none. */
  row: number | null;
}

/**
 * A range's items that are to be asked, in order: those without a result, twins left out.
 * `someDone` false saves looking for results, `someTwins` false for twins.
 */
export async function readOpenItems(
  sql: Sql,
  range: {
    fileKey: bigint;
    batchKey: bigint;
    first: number;
    last: number;
    someDone: boolean;
    someTwins: boolean;
  },
): Promise<OpenItem[]> {
  const { fileKey, batchKey, first, last, someDone, someTwins } = range;
  return await sql<OpenItem[]>`
    select index, custom_id as "customId", content, fields, row from rows
    where file_key = ${fileKey} and index between ${first} and ${last}
    ${someDone ? sql`and not exists (select from results r where r.batch_key = ${batchKey} and r.index = rows.index)` : sql``}
    ${someTwins ? notTwin(sql, batchKey) : sql``}
    order by index`;
}

/** A row of `rows` that takes no other's answer. */
function notTwin(sql: Sql, batchKey: bigint) {
  return sql`and not exists (select from twins t where t.batch_key = ${batchKey} and t.index = rows.index)`;
}

/**
 * The same, cut behind `maxBytes` of text but with one item at least; whether the range has more
 * tells `rowsOfPage`.
 */
export async function readOpenItemsWithin(
  sql: Sql,
  range: {
    fileKey: bigint;
    batchKey: bigint;
    first: number;
    last: number;
    someTwins: boolean;
    maxBytes: number;
  },
): Promise<(OpenItem & PlaceInPage)[]> {
  const { fileKey, batchKey, first, last, someTwins, maxBytes } = range;
  const open = sql`
    select index, custom_id as "customId", content, fields, row,
           coalesce(octet_length(content), 0) + coalesce(octet_length(fields), 0) as octets
    from rows
    where file_key = ${fileKey} and index between ${first} and ${last}
      and not exists (select from results r where r.batch_key = ${batchKey} and r.index = rows.index)
      ${someTwins ? notTwin(sql, batchKey) : sql``}`;
  return await sql<(OpenItem & PlaceInPage)[]>`
    ${cutBehind(sql, open, { order: sql`index`, maxBytes })}`;
}

/**
 * Those of the given items that have no result yet, in order, and had none since `since`: one that
 * did, and is open again, was retried, and is to be asked again. `isCounted`: what its answer has
 * cost was kept since then, though nobody waited for the answer.
 */
export async function readUnansweredAt(
  sql: Sql,
  open: { fileKey: bigint; batchKey: bigint; indexes: readonly number[]; since: Date },
): Promise<(OpenItem & { isCounted: boolean })[]> {
  const { fileKey, batchKey, indexes, since } = open;
  return await sql<(OpenItem & { isCounted: boolean })[]>`
    select index, custom_id as "customId", content, fields, row,
           exists (
             select from superseded_results s
             where s.batch_key = ${batchKey} and s.index = rows.index
               and s.status = 'CANCELLED' and s.completed_at >= ${since}) as "isCounted"
    from rows
    where file_key = ${fileKey} and index = any(${`{${indexes.join()}}`}::int[])
      and not exists (select from results r where r.batch_key = ${batchKey} and r.index = rows.index)
      and not exists (
        select from superseded_results s
        where s.batch_key = ${batchKey} and s.index = rows.index
          and s.status <> 'CANCELLED' and s.completed_at >= ${since})
    order by index`;
}

/**
 * An item: the row as it is stored, and its result, whose columns are null before the result.
 * `fields` and `output` are JSON text.
 */
export interface ItemRecord extends UsageRecord {
  index: number;
  customId: string | null;
  content: string | null;
  fields: string | null;
  /** As of an OpenItem. */
  row: number | null;
  status: ItemStatus;
  seq: number | null;
  output: string | null;
  errorCode: ItemErrorCode | null;
  errorMessage: string | null;
  /** The beginning of the last answer that was refused. */
  rejectedAnswer: string | null;
  attempts: number;
  /** It has taken the answer of an identical row. */
  cached: boolean;
  completedAt: Date | null;
}

/** An item with a confidence, 0 to 1. */
export type SureItem = ItemRecord & { confidence: number };

/** Both are exclusive. */
interface IndexBounds {
  afterIndex?: number | undefined;
  beforeIndex?: number | undefined;
}

export interface ItemPage extends IndexBounds {
  limit: number;
  inverted: boolean;
}

/**
 * A page of items by index, cut behind `maxBytes` but with one item at least; `inverted` reads from
 * the far end. With `cut`, of large rows the beginning of their text alone.
 */
export async function listItems(
  sql: Sql,
  source: ItemSource,
  filter: ItemFilter,
  page: ItemPage & { maxBytes: number; cut?: RowCut | null },
): Promise<(ItemRecord & PlaceInPage)[]> {
  const { limit, inverted, maxBytes, cut = null } = page;
  const items = sql`
    select ${itemColumns(sql)}, ${itemBytes(sql)} as octets
    from ${itemTables(sql, source, page)} ${itemText(sql, cut)} ${earlierAnswers(sql, source)}
    where ${itemConditions(sql, source, filter)} ${within(sql, sql`i`, page)}
    order by ${inverted ? sql`i.index desc` : sql`i.index`}
    limit ${limit}`;
  return await sql<(ItemRecord & PlaceInPage)[]>`
    ${cutBehind(sql, items, { order: inverted ? sql`index desc` : sql`index`, maxBytes })}`;
}

/** Bytes of the text of an item, its answer included. */
function itemBytes(sql: Sql) {
  return sql`(coalesce(octet_length(t.content), 0) + coalesce(octet_length(t.fields), 0)
    + coalesce(octet_length(r.output), 0) + coalesce(octet_length(r.rejected_answer), 0))`;
}

/**
 * Those of the given items that a filter leaves, in the order in which they are given, each with
 * its confidence; `indexes` as `findLeastSure` tells them.
 */
export async function listItemsAt(
  sql: Sql,
  source: ItemSource,
  filter: ItemFilter,
  page: { indexes: string; limit: number; maxBytes: number; cut?: RowCut | null },
): Promise<(SureItem & PlaceInPage)[]> {
  const { indexes, limit, maxBytes, cut = null } = page;
  const items = sql`
    select ${itemColumns(sql)}, ${itemBytes(sql)} as octets, ${confidenceOf(sql)} as confidence, g.at
    from ${itemTables(sql, source)} ${itemText(sql, cut)} ${earlierAnswers(sql, source)}
    join unnest(${indexes}::int[]) with ordinality as g (index, at) on g.index = i.index
    where ${itemConditions(sql, source, filter)}
    order by g.at
    limit ${limit}`;
  return await sql<(SureItem & PlaceInPage)[]>`
    ${cutBehind(sql, items, { order: sql`at`, maxBytes })}`;
}

/** Number of items that a filter leaves, by a scan: prefer counters where they say the same. */
export async function countItems(
  sql: Sql,
  source: ItemSource,
  filter: ItemFilter,
  bounds: IndexBounds = {},
): Promise<number> {
  const [counted] = await sql<{ items: number }[]>`
    select count(*)::int as items from ${itemTables(sql, source, bounds)}
    where ${itemConditions(sql, source, filter)} ${within(sql, sql`i`, bounds)}`;
  return counted?.items ?? 0;
}

/** Number of succeeded items that have such answers: their rows need not be read for it. */
export async function countAnswers(
  sql: Sql,
  { batchKey }: ItemSource,
  answers: AnswerFilter,
  bounds: IndexBounds,
): Promise<number> {
  const [counted] = await sql<{ items: number }[]>`
    select count(*)::int as items from results r
    where r.batch_key = ${batchKey} and ${sql.unsafe(answerConditions(answers).text)}
      ${within(sql, sql`r`, bounds)}`;
  return counted?.items ?? 0;
}

/**
 * Succeeded and failed items in the order in which they were recorded, after a (seq, index)
 * position. Nothing is ever recorded behind a position once read: seq is given out under the
 * batch's lock.
 */
export async function readResultsAfter(
  sql: Sql,
  source: ItemSource,
  after: { seq: number; index: number },
  { limit, maxBytes }: { limit: number; maxBytes: number },
): Promise<(ItemRecord & { seq: number })[]> {
  const items = sql`
    select ${itemColumns(sql)}, ${itemBytes(sql)} as octets
    from ${itemTables(sql, source)} join page on page.index = i.index ${itemText(sql, null)} ${earlierAnswers(sql, source)}
    where i.file_key = ${source.fileKey}`;
  return await sql<(ItemRecord & { seq: number })[]>`
    with page as materialized (
      select index, seq from results
      where batch_key = ${source.batchKey} and (seq, index) > (${after.seq}::bigint, ${after.index}::int)
        and seq >= ${after.seq}::bigint
        and status in ('SUCCEEDED', 'FAILED')
      order by seq, index
      limit ${limit}
    )
    ${cutBehind(sql, items, { order: sql`seq, index`, maxBytes })}`;
}

function itemColumns(sql: Sql) {
  return sql`
    i.index, i.custom_id as "customId", t.content, t.fields, i.row,
    coalesce(r.status::text, case when exists (
      select from chunks c
      where c.batch_key = b.key and c.state = 'leased' and i.index between c.first and c.last
        and ${isAsked(sql, sql`c`, sql`i.index`)}
    ) then 'PROCESSING' else 'PENDING' end) as status,
    r.seq::float8 as seq, r.output, r.error_code as "errorCode", r.error_message as "errorMessage",
    r.rejected_answer as "rejectedAnswer",
    coalesce(r.attempts, 0) + coalesce(s.attempts, 0) as attempts,
    ${sql.unsafe(itemUsage)},
    r.completed_at as "completedAt",
    b.twins > 0 and r.index is not null and exists (
      select from twins t where t.batch_key = b.key and t.index = i.index) as cached`;
}

/**
 * Bounds on an index are said of the results too: that r.index equals an index with a bound tells
 * Postgres nothing, and it would read the results of half a batch for a page in its middle.
 */
function itemTables(sql: Sql, source: ItemSource, bounds: IndexBounds = {}) {
  return sql`
    rows i
    join batches b on b.key = ${source.batchKey} and b.file_key = i.file_key
    left join results r on r.batch_key = b.key and r.batch_key = ${source.batchKey} and r.index = i.index
      ${within(sql, sql`r`, bounds)}`;
}

function within(sql: Sql, table: ReturnType<Sql>, { afterIndex, beforeIndex }: IndexBounds) {
  return sql`
    ${afterIndex === undefined ? sql`` : sql`and ${table}.index > ${afterIndex}`}
    ${beforeIndex === undefined ? sql`` : sql`and ${table}.index < ${beforeIndex}`}`;
}

/** The cost of answers that a retry put aside; it is the item's still. */
function earlierAnswers(sql: Sql, source: ItemSource) {
  return sql`
    left join lateral (
      select sum(attempts)::int as attempts, ${sql.unsafe(earlierUsage)}
      from superseded_results where batch_key = ${source.batchKey} and index = i.index
    ) s on true`;
}
