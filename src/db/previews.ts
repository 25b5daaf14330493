/**
 * Previews: of a batch that has one, all chunks are `held` at first. Some items are cut out of them
 * and go first, called live in either lane. When all of these are final the batch is paused, until
 * `resumeBatch` opens the rest.
 */
import type { Sql } from './driver/client.ts';
import { countDone, isInPreview, isRunning, isUnended, twinsOfPiece } from './guards.ts';

/** The oldest batches that wait for the items of their preview to be chosen. */
export async function listUnchosen(sql: Sql, limit: number): Promise<bigint[]> {
  const found = await sql<{ key: bigint }[]>`
    select key from batches b
    where not preview_chosen and ${isInPreview(sql)} and ${isUnended(sql)}
      and coalesce(ids_indexed = total, true) and coalesce(twins_found, true)
    order by key limit ${limit}`;
  return found.map(({ key }) => key);
}

/**
 * Chooses the items of a preview, and cuts them out of the held chunks as open ones of one item
 * each: one from each of equal parts of the items that are to be asked, by a hash of the batch's
 * id, so that they are spread over a sorted file. All, where there are no more. Null where there is
 * nothing to do, or another process is at it. Returns how many items were chosen.
 */
export async function choosePreview(sql: Sql, batchKey: bigint): Promise<number | null> {
  const [chosen] = await sql<{ items: number }[]>`
    with batch as materialized (
      select key, id, preview_items from batches b
      where key = ${batchKey} and not preview_chosen and ${isInPreview(sql)} and ${isUnended(sql)}
        and coalesce(twins_found, true)
      for update skip locked
    ),
    -- How many items that are to be asked stand before a chunk, and are in it.
    sized as materialized (
      select first, size, sum(size) over (order by first) - size as before from (
        select first, last - first + 1 - done - twins as size from chunks
        where batch_key = ${batchKey} and exists (select from batch) and state = 'held'
      ) c
    ),
    parts as materialized (
      select b.id, s.asked, least(b.preview_items, s.asked) as parts
      from batch b, (select coalesce(sum(size), 0)::bigint as asked from sized) s
    ),
    places as (
      select begins + ('x' || left(md5(id || part), 8))::bit(32)::bigint % (ends - begins) as place
      from parts cross join lateral (
        select part, part * asked / parts as begins, (part + 1) * asked / parts as ends
        from generate_series(0, parts - 1) as part) p
    ),
    -- Both in one order: a join by range would cost one times the other.
    found as (
      select first, place - before as nth from (
        select place, max(first) over w as first, max(before) over w as before from (
          select before as at, first, before, null::bigint as place from sized where size > 0
          union all
          select place, null, null, place from places
        ) in_order
        window w as (order by at, place nulls first rows unbounded preceding)
      ) f
      where place is not null
    ),
    items as materialized (
      select c.batch_key, c.first as chunk, c.last as chunk_last, c.twins, c.done as chunk_done,
             case when c.done = 0 and c.twins = 0 then c.first + f.nth::int else (
               select item from generate_series(c.first, c.last) as item
               where not exists (select from twins t where t.batch_key = c.batch_key and t.index = item)
                 and not exists (select from results r where r.batch_key = c.batch_key and r.index = item)
               order by item offset f.nth limit 1) end as item
      from found f join chunks c on c.batch_key = ${batchKey} and exists (select from batch) and c.first = f.first
    ),
    bounded as (
      select *, lag(item) over (partition by chunk order by item) as item_before,
             lead(item) over (partition by chunk order by item) as item_after
      from items
    ),
    pieces as (
      select batch_key, chunk, item as first, item as last, twins, chunk_done, true as in_preview from bounded
      union all
      select batch_key, chunk, coalesce(item_before + 1, chunk), item - 1, twins, chunk_done, null from bounded
      where coalesce(item_before + 1, chunk) < item
      union all
      select batch_key, chunk, item + 1, chunk_last, twins, chunk_done, null from bounded
      where item_after is null and item < chunk_last
    ),
    counted as (
      select *, case when chunk_done = 0 then 0 else ${countDone(sql, sql`p`)} end as done, ${twinsOfPiece(sql, sql`p`)} as own_twins
      from pieces p
    ),
    cut as materialized (
      select batch_key, chunk, first, last, in_preview, done, own_twins as twins,
             (case when in_preview then 'open' when done + own_twins = last - first + 1 then 'done' else 'held' end)::chunk_state as state
      from counted
    ),
    shortened as (
      update chunks c
      set last = p.last, done = p.done, twins = p.twins, state = p.state, in_preview = p.in_preview
      from cut p
      where c.batch_key = p.batch_key and c.first = p.first and p.first = p.chunk
    ),
    added as (
      insert into chunks (batch_key, first, last, done, twins, sent_to, state, in_preview)
      select batch_key, first, last, done, twins, first - 1, state, in_preview
      from cut where first <> chunk
    )
    update batches b set preview_chosen = true
    from batch
    where b.key = batch.key
    returning (select count(*)::int from items) as items`;
  return chosen?.items ?? null;
}

/**
 * Pauses batches of whose preview every item is final, of all or the one given. Returns the keys of
 * those that it paused.
 */
export async function pausePreviews(sql: Sql, batchKey: bigint | null = null): Promise<bigint[]> {
  const paused = await sql<{ key: bigint }[]>`
    update batches b
    set pause_reason = 'PREVIEW', paused_since = now(),
        pause_message = 'Every row of the preview has its answer'
          || coalesce(', for ' || ${inDigits(sql, sql`case when unpriced = 0 then cost_usd end`)} || ' USD in all', '')
          || '; resumeBatch runs the rest'
    where preview_chosen and ${isInPreview(sql)} and ${isRunning(sql)} and pause_reason is null
      ${batchKey === null ? sql`` : sql`and key = ${batchKey}`}
      and exists (select from chunks c where c.batch_key = b.key and c.state = 'held')
      and not exists (select from chunks c where c.batch_key = b.key and c.state = 'open')
      and not exists (select from chunks c where c.batch_key = b.key and c.state = 'leased')
    returning key`;
  return paused.map(({ key }) => key);
}

/** A sum in USD in four digits that count, as text. */
function inDigits(sql: Sql, usd: ReturnType<Sql>) {
  return sql`(
    select case when given = 0 then '0' else trim_scale(
      round(given, greatest(0, 3 - floor(log(given))::int)))::text end
    from (select (${usd})::numeric as given) as sum)`;
}

/**
 * Opens what waits behind the preview of a running batch: where the preview is over, and else
 * where no money holds the batch back, and no limit is given. `hasLimit`: one is given. Returns the
 * key of the batch; null where nothing was opened.
 */
export async function resumePreview(
  sql: Sql,
  owner: string,
  id: string,
  { hasLimit = false }: { hasLimit?: boolean } = {},
): Promise<bigint | null> {
  const [resumed] = await sql<{ key: bigint }[]>`
    with batch as (
      update batches b set preview_resumed_at = now()
      where id = ${id} and owner = ${owner} and ${isInPreview(sql)} and ${isRunning(sql)}
        and (pause_reason = 'PREVIEW' or not ${hasLimit} and coalesce(pause_reason, 'REQUESTED') = 'REQUESTED')
      returning key
    ),
    opened as (
      update chunks c set state = 'open'
      from batch
      where c.batch_key = batch.key and c.state = 'held'
    )
    select key from batch`;
  return resumed?.key ?? null;
}
