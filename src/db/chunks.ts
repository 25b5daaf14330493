/**
 * The queue. A chunk is `open`, `leased` to a worker, or `done`:
 *
 *     open --claim--> leased --last item recorded--> done
 *       ^                |                             |
 *       +--- release ----+   (worker lets go)          |
 *       +--- reclaim ----+   (worker died)             |
 *       +--------------- retry of its items -----------+
 *
 * Lock order in every statement of this folder: batch, then chunks. A claim is the exception that proves it: it takes
 * chunks first, but skips those that are locked, and so never waits.
 */
import type { Sql } from './client.ts';

/**
 * From this many crashes on, a chunk is split to single items, and each runs alone in its process: the one that kills
 * workers is found, and its neighbours are not charged with it.
 */
export const aloneFromCrashes = 3;

/** A chunk as its worker holds it. */
export interface ClaimedChunk {
  batchKey: bigint;
  first: number;
  last: number;
  /** Items of it that already have a result. */
  done: number;
  /** Requests may go out for items up to this index; the mark is raised before going further. */
  sentTo: number;
  crashes: number;
}

/**
 * Claims up to `limit` open chunks of one batch: the next one in turn after `afterBatchKey` that has any.
 * The mark of what may be sent is set `ahead` items far, so that the first calls need not wait for it; not for items
 * that run alone, of which only the one under way may be charged with a crash.
 */
export async function claimChunks(
  sql: Sql,
  claim: {
    worker: string;
    afterBatchKey: bigint;
    limit: number;
    ahead: number;
    onlyBatchKey?: bigint;
  },
): Promise<ClaimedChunk[]> {
  const { worker, afterBatchKey, limit, ahead, onlyBatchKey = null } = claim;
  return await sql<ClaimedChunk[]>`
    with turn as materialized (
      select key from batches b
      where status in ('QUEUED', 'PROCESSING') and ending is null
        and (${onlyBatchKey}::bigint is null or key = ${onlyBatchKey})
        and exists (select from chunks where batch_key = b.key and state = 'open')
      order by key <= ${afterBatchKey}, key
      limit 1
    ),
    picked as materialized (
      select batch_key, first, last from chunks
      where batch_key = (select key from turn) and state = 'open'
      order by first
      limit ${limit}
      for update skip locked
    ),
    placed as (
      select *, sum(last - first + 1) over (order by first) - (last - first + 1) as before from picked
    ),
    started as (
      update batches set status = 'PROCESSING', started_at = coalesce(started_at, now())
      where key = (select batch_key from picked limit 1) and status = 'QUEUED'
    )
    update chunks c
    set state = 'leased', owner = ${worker},
        sent_to = case when c.crashes >= ${aloneFromCrashes} then c.first - 1
                       else least(c.last, c.first - 1 + greatest(0, ${ahead}::int - p.before::int)) end
    from placed p
    where c.batch_key = p.batch_key and c.first = p.first
    returning c.batch_key as "batchKey", c.first, c.last, c.done, c.sent_to as "sentTo", c.crashes`;
}

/** Raises the marks of chunks that `worker` holds, before it sends requests for items beyond them. */
export async function raiseSentMarks(
  sql: Sql,
  worker: string,
  marks: readonly { batchKey: bigint; first: number; sentTo: number }[],
): Promise<void> {
  const given = marks.map((mark) => ({ ...mark, batchKey: String(mark.batchKey) }));
  await sql`
    update chunks c set sent_to = m."sentTo"
    from json_to_recordset(${JSON.stringify(given)}::text::json) as m("batchKey" bigint, first int, "sentTo" int)
    where c.batch_key = m."batchKey" and c.first = m.first and c.owner = ${worker} and c.sent_to < m."sentTo"`;
}

/**
 * Gives back what `worker` holds of a batch, finished items aside. `resent` is how many calls it aborted, to be sent
 * again by whoever claims the chunks next; none are where the batch has ended.
 */
export async function releaseChunks(
  sql: Sql,
  release: { worker: string; batchKey: bigint; resent: number },
): Promise<void> {
  const { worker, batchKey, resent } = release;
  await sql`
    with batch as materialized (
      select key from batches where key = ${batchKey} for update
    ),
    counted as (
      update batches set resent_requests = resent_requests + ${resent}
      where key = ${batchKey} and ${resent} > 0 and status = 'PROCESSING' and ending is null
    )
    update chunks set state = 'open', owner = null, sent_to = first - 1
    where batch_key = (select key from batch) and owner = ${worker} and state = 'leased'`;
}

/**
 * Gives back chunks that are leased to `worker` but that it does not know of: a claim whose answer was lost on the way.
 * Called while no claim is under way.
 */
export async function releaseUnknownChunks(
  sql: Sql,
  worker: string,
  known: readonly { batchKey: bigint; first: number }[],
): Promise<number> {
  const given = known.map(({ batchKey, first }) => ({ batchKey: String(batchKey), first }));
  const released = await sql`
    update chunks c set state = 'open', owner = null, sent_to = first - 1
    where state = 'leased' and owner = ${worker}
      and not exists (
        select from json_to_recordset(${JSON.stringify(given)}::text::json) as k("batchKey" bigint, first int)
        where k."batchKey" = c.batch_key and k.first = c.first)`;
  return released.count;
}

/**
 * Reopens the chunks of workers whose lease has run out, and counts the requests that will be sent again: items up to
 * the mark that have no result. A chunk with nothing under way is not charged with the crash.
 * Returns the keys of the batches concerned.
 */
export async function reclaimChunks(sql: Sql): Promise<bigint[]> {
  const reclaimed = await sql<{ key: bigint }[]>`
    with dead as materialized (
      select batch_key, first, owner from chunks c
      where state = 'leased'
        and not exists (select from workers w where w.id = c.owner and w.expires_at > now())
      order by batch_key, first
      limit 500
    ),
    locked as materialized (
      select key from batches where key in (select batch_key from dead) order by key for update
    ),
    lost as materialized (
      select c.batch_key, c.first, c.sent_to
      from chunks c join dead d on c.batch_key = d.batch_key and c.first = d.first and c.owner = d.owner
      where c.state = 'leased' and c.batch_key in (select key from locked)
      for update of c skip locked
    ),
    resent as (
      select l.batch_key, l.first, (
        select count(*) from generate_series(l.first, l.sent_to) as item
        where not exists (select from results r where r.batch_key = l.batch_key and r.index = item)
      ) as requests
      from lost l
    ),
    reopened as (
      update chunks c
      set state = 'open', owner = null, sent_to = c.first - 1, crashes = c.crashes + (r.requests > 0)::int
      from resent r
      where c.batch_key = r.batch_key and c.first = r.first
    ),
    counted as (
      update batches b set resent_requests = b.resent_requests + r.requests
      from (select batch_key, sum(requests) as requests from resent group by batch_key) r
      where b.key = r.batch_key
    )
    select distinct batch_key as key from lost`;
  return reclaimed.map(({ key }) => key);
}

/** Splits a batch's open chunks that have crashed too often into chunks of one item. */
export async function splitCrashedChunks(sql: Sql, batchKey: bigint): Promise<void> {
  await sql`
    with batch as materialized (
      select key from batches where key = ${batchKey} for update
    ),
    split as materialized (
      select batch_key, first, last, crashes from chunks
      where batch_key = (select key from batch) and state = 'open' and crashes >= ${aloneFromCrashes} and last > first
      order by first
      limit 20
      for update skip locked
    ),
    singles as (
      select s.batch_key, s.crashes, s.first, item,
             exists (select from results r where r.batch_key = s.batch_key and r.index = item) as done
      from split s cross join lateral generate_series(s.first, s.last) as item
    ),
    shrunk as (
      update chunks c
      set last = c.first, done = s.done::int, state = case when s.done then 'done' else 'open' end::chunk_state
      from singles s
      where c.batch_key = s.batch_key and c.first = s.first and s.item = s.first
    )
    insert into chunks (batch_key, first, last, done, sent_to, state, crashes)
    select batch_key, item, item, done::int, item - 1,
           case when done then 'done' else 'open' end::chunk_state, crashes
    from singles where item > first`;
}
