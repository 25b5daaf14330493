/**
 * Giving back what a worker holds and has not sent, while its calls go on. A chunk's row names its
 * worker, and not its claim: what is given back is held until the statement has ended.
 */
import type { Sql } from './driver/client.ts';
import { countDone, twinsOfPiece } from './guards.ts';
import { keptUsage, lockedBatch, type Unanswered } from './unanswered.ts';

/** The part of a chunk that a worker keeps. */
export interface KeptPart {
  /** Where the chunk begins. */
  first: number;
  /** The last item that stays its; before `first` where it keeps none. */
  keptTo: number;
}

/**
 * Gives back the items behind `keptTo` of chunks that `worker` holds, and cuts those of which it
 * keeps some. Nothing of what is given back is under way. `unanswered`: what those of its items
 * have cost that were sent, all of them of chunks that are given back whole. Returns where the
 * chunks begin whose results came in at the same moment: nothing of them was given back, and the
 * caller tries again.
 */
export async function releaseUnsent(
  sql: Sql,
  release: {
    worker: string;
    batchKey: bigint;
    parts: readonly KeptPart[];
    unanswered: readonly Unanswered[];
  },
): Promise<number[]> {
  const { worker, batchKey, parts, unanswered } = release;
  const firsts = `{${parts.map(({ first }) => first).join()}}`;
  const keptTos = `{${parts.map(({ keptTo }) => keptTo).join()}}`;
  const isFull = sql`(c.done - p.done + c.twins - p.twins = p.kept_to - c.first + 1)`;
  const missed = await sql<{ first: number }[]>`
    with ${lockedBatch(sql, batchKey)},
    leased as materialized (
      select c.batch_key, c.first, p.kept_to
      from unnest(${firsts}::int[], ${keptTos}::int[]) as p(first, kept_to)
      join chunks c on c.batch_key = ${batchKey} and exists (select from batch) and c.first = p.first
      where c.owner = ${worker} and c.state = 'leased'
    ),
    -- Of a flush or a retry that was waited for, this statement's snapshot shows the chunk and not
    -- the results: a cut would count them wrongly.
    held_chunks as materialized (
      select c.batch_key, c.first, c.last, c.sent_to, c.crashes, c.rounds, c.left_to_rescue, c.twins, l.kept_to
      from chunks c join leased l on c.batch_key = l.batch_key and c.first = l.first
      -- The snapshot is from before the wait for the batch: the lease may have been lost since, and
      -- the chunk be another's.
      where c.owner = ${worker} and c.state = 'leased'
        and (l.kept_to < c.first or c.done = ${countDone(sql, sql`c`)})
      order by c.first
      for update of c
    ),
    given as (
      select batch_key, first as chunk, kept_to, kept_to + 1 as first, last, twins, crashes, rounds, left_to_rescue
      from held_chunks where kept_to >= first and kept_to < last
    ),
    cut as materialized (
      select batch_key, chunk, kept_to, first, last, crashes, rounds, left_to_rescue,
             ${countDone(sql, sql`p`)} as done, ${twinsOfPiece(sql, sql`p`)} as twins
      from given p
    ),
    opened as (
      update chunks c set state = 'open', owner = null, sent_to = c.first - 1, repeats = 0
      from held_chunks h
      where c.batch_key = h.batch_key and c.first = h.first and h.kept_to < h.first
    ),
    shortened as (
      update chunks c
      set last = p.kept_to, done = c.done - p.done, twins = c.twins - p.twins, sent_to = least(c.sent_to, p.kept_to),
          -- What was under way may have been recorded already.
          state = case when ${isFull} then 'done' else c.state end,
          owner = case when ${isFull} then null else c.owner end
      from cut p
      where c.batch_key = p.batch_key and c.first = p.chunk
    ),
    added as (
      insert into chunks (batch_key, first, last, done, twins, sent_to, state, crashes, rounds, left_to_rescue)
      select batch_key, first, last, done, twins, first - 1,
             case when done + twins = last - first + 1 then 'done' else 'open' end::chunk_state,
             crashes, rounds, left_to_rescue
      from cut
    )
    ${unanswered.length > 0 ? sql`, ${keptUsage(sql, { items: unanswered, execution: 'LIVE', chunks: sql`(select first, sent_to as last from held_chunks where kept_to < first)` })}` : sql``}
    select first from leased where first not in (select first from held_chunks)`;
  return missed.map(({ first }) => first);
}
