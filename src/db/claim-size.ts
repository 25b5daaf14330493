/** The number of chunks that a claim takes: a preview cuts some into small ones. */
import type postgres from 'postgres';
import type { Sql } from './driver/client.ts';

/** Items of a chunk that nothing has cut. */
const usualItems = 100;

/**
 * The limit of a claim of `chunks` usual ones, among the chunks that `open` is a condition of: of a
 * batch that has a preview as many as have the items of those. `previewItems` is that column of the
 * batch, as a subquery.
 */
export function claimSize(
  sql: Sql,
  {
    chunks,
    open,
    previewItems,
  }: { chunks: number; open: postgres.Fragment; previewItems: postgres.Fragment },
): postgres.Fragment {
  const items = sql`${chunks * usualItems}::int`;
  return sql`
    case when ${previewItems} is null then ${chunks}::int else (
      select count(*) from (
        select sum(size) over (order by crashes, first) - size as before from (
          select crashes, first, last - first + 1 - done - twins as size from chunks
          where ${open}
          order by crashes, first
          limit ${items}) next) next
      where before < ${items}) end`;
}
