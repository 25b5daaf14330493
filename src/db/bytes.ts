/** Pages of rows that may be large: cut behind so many bytes, and never without a row. */
import type postgres from 'postgres';
import type { Sql } from './driver/client.ts';

/** Where a row stands in the page that was asked for. */
export interface PlaceInPage {
  /** Bytes of text of the rows up to this one. */
  bytesSoFar: number;
  /** Number of rows of the page, those included that were cut off. */
  rowsOfPage: number;
}

/** `page` tells its rows' sizes as `octets`, without reading what is large. */
export function cutBehind(
  sql: Sql,
  page: postgres.Fragment,
  { order, maxBytes }: { order: postgres.Fragment; maxBytes: number },
) {
  return sql`
    select * from (
      select *, (sum(octets) over (order by ${order}))::float8 as "bytesSoFar",
             (count(*) over ())::int as "rowsOfPage", row_number() over (order by ${order}) as place
      from (${page}) as page
    ) as measured
    where "bytesSoFar" <= ${maxBytes}::float8 or place = 1
    order by place`;
}

/** The places of those rows of a page that fit into `maxBytes`, but one at least. */
export function placesWithin(
  page: readonly { key: bigint; octets: number }[],
  maxBytes: number,
): Map<bigint, PlaceInPage> {
  const places = new Map<bigint, PlaceInPage>();
  let bytesSoFar = 0;
  for (const { key, octets } of page) {
    bytesSoFar += octets;
    if (bytesSoFar > maxBytes && places.size > 0) break;
    places.set(key, { bytesSoFar, rowsOfPage: page.length });
  }
  return places;
}

/** Each row with its place; without those that have none. */
export function placed<Row extends { key: bigint }>(
  rows: readonly Row[],
  places: ReadonlyMap<bigint, PlaceInPage>,
): (Row & PlaceInPage)[] {
  return rows.flatMap((row) => {
    const place = places.get(row.key);
    return place ? [{ ...row, ...place }] : [];
  });
}
