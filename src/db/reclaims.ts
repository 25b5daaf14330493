/** Chunks of workers that died: taken back, cut apart, and not claimed where they kill workers. */
import type { Sql } from './driver/client.ts';
import { countDone, isAsked, isRunning, twinsOfPiece } from './guards.ts';
import { addResent } from './spending.ts';

/** From this many crashes on, items run alone, in chunks and processes of their own. */
export const aloneFromCrashes = 3;

/**
 * An item under which so many workers died, the last of them while it ran alone, is the one that
 * kills them: nobody claims it any more.
 */
export const fatalCrashes = 5;

/** Chunks that were taken back of one batch. `resent`: requests that will be sent again. */
interface Reclaimed {
  key: bigint;
  chunks: number;
  resent: number;
}

/**
 * Reopens the chunks of workers whose lease has run out, and counts the requests that will be sent
 * again, as long as the batch goes on: items up to the mark that have no result, and what was
 * marked for further requests of theirs. Where the batch is being ended, nothing is sent again:
 * they are unmetered requests of these items. Only items up to the mark are charged with the crash,
 * and cut off from the rest of their chunk. From `aloneFromCrashes` on they are cut into chunks of
 * one item. So the one that kills workers is found, and its neighbours are not charged with it.
 * Returns the batches concerned.
 */
export async function reclaimChunks(sql: Sql): Promise<Reclaimed[]> {
  const reclaimed = await sql<Reclaimed[]>`
    with dead as materialized (
      select batch_key, first, owner from chunks c
      where state = 'leased'
        and not exists (select from workers w where w.id = c.owner and w.expires_at > now())
        -- What is in a provider batch needs no worker alive.
        and not exists (select from provider_batches p where p.id = c.owner)
      order by batch_key, first
      limit 500
    ),
    locked as materialized (
      select key from batches where key in (select batch_key from dead) order by key for update
    ),
    -- A last flush may have been waited for, which this statement's snapshot does not show: such a
    -- chunk is left to the next.
    lost as materialized (
      select c.batch_key, c.first, c.last, c.sent_to, c.repeats, c.crashes, c.done, c.twins
      from chunks c join dead d on c.batch_key = d.batch_key and c.first = d.first and c.owner = d.owner
      where c.state = 'leased' and c.batch_key in (select key from locked)
        and c.done = ${countDone(sql, sql`c`)}
      for update of c skip locked
    ),
    resent as materialized (
      select *, (select count(*)::int from (${sentItems(sql, sql`l`)}) sent) as items
      from lost l
    ),
    kept as (
      insert into superseded_results (batch_key, seq, completed_at, index, status, attempts, requests,
                                      input_tokens, cached_input_tokens, output_tokens, unmetered)
      select b.key, b.seq + 1, now(), sent.item, 'CANCELLED', 0, sent.requests, 0, 0, 0, sent.requests
      from resent l join batches b on b.key = l.batch_key and not ${isRunning(sql)}
      cross join lateral (
        -- Whose the further requests were is not known.
        select item, 1 + case when row_number() over (order by item) = 1 then l.repeats else 0 end as requests
        from (${sentItems(sql, sql`l`)}) i
      ) sent
    ),
    pieces as materialized (
      select batch_key, first as chunk, first, last, crashes, twins from resent where items = 0
      union all
      select batch_key, first, first, sent_to, crashes + 1, twins
      from resent where items > 0 and crashes + 1 < ${aloneFromCrashes}
      union all
      select batch_key, first, item, item, greatest(crashes + 1, ${aloneFromCrashes}), twins
      from resent cross join lateral generate_series(first, sent_to) as item
      where items > 0 and crashes + 1 >= ${aloneFromCrashes}
      union all
      select batch_key, first, sent_to + 1, last, crashes, twins from resent where items > 0 and sent_to < last
    ),
    cut as materialized (
      select batch_key, chunk, first, last, crashes, ${countDone(sql, sql`p`)} as done, ${twinsOfPiece(sql, sql`p`)} as twins
      from pieces p
    ),
    reopened as (
      update chunks c
      set last = p.last, done = p.done, twins = p.twins, crashes = p.crashes, owner = null, sent_to = p.first - 1, repeats = 0,
          state = case when p.done + p.twins = p.last - p.first + 1 then 'done' else 'open' end::chunk_state
      from cut p
      where c.batch_key = p.batch_key and c.first = p.first and p.first = p.chunk
    ),
    added as (
      insert into chunks (batch_key, first, last, done, twins, sent_to, state, crashes)
      select batch_key, first, last, done, twins, first - 1,
             case when done + twins = last - first + 1 then 'done' else 'open' end::chunk_state, crashes
      from cut where first <> chunk
    ),
    counted as (
      update batches b
      set resent_requests = b.resent_requests + case when ${isRunning(sql)} then r.requests else 0 end,
          requests = b.requests + case when ${isRunning(sql)} then 0 else r.requests end,
          unmetered_requests = b.unmetered_requests + case when ${isRunning(sql)} then 0 else r.requests end,
          seq = b.seq + (not ${isRunning(sql)})::int
      from (
        select batch_key, sum(items + repeats) as requests from resent where items > 0 group by batch_key
      ) r
      where b.key = r.batch_key
      returning b.key, r.requests, ${isRunning(sql)} as goes_on
    ),
    spent as (${addResent(sql, sql`select key, requests, case when goes_on then 0 else requests end as own from counted`)})
    select batch_key as key, count(*)::int as chunks,
           coalesce((select requests from counted where key = batch_key and goes_on), 0)::int as resent
    from lost group by batch_key`;
  return reclaimed;
}

/** `item`: of a chunk `lost`, those up to its mark that are asked and have no result. */
function sentItems(sql: Sql, lost: ReturnType<Sql>) {
  return sql`
    select item from generate_series(${lost}.first, ${lost}.sent_to) as item
    where not exists (select from results r where r.batch_key = ${lost}.batch_key and r.index = item)
      and ${isAsked(sql, lost, sql`item`)}`;
}

/** Running batches whose open items are claimed no more: too many workers died under them. */
export async function listFatal(sql: Sql): Promise<bigint[]> {
  const found = await sql<{ key: bigint }[]>`
    select key from batches b
    where ${isRunning(sql)}
      and exists (
        select from chunks c
        where c.batch_key = b.key and c.state = 'open' and c.crashes >= ${fatalCrashes})
    order by key`;
  return found.map(({ key }) => key);
}
