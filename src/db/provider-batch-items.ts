/**
 * Which items are a provider batch's. It holds whole chunks, and its input may have a part of their
 * items: the others name another model, or were too much at once. What becomes of it concerns the
 * items of its input alone; for the others there will be another provider batch.
 */
import type { Sql } from './driver/client.ts';
import { countDone, isAsked, twinsOfPiece } from './guards.ts';
import { toItemSet } from './item-set.ts';

/** A provider batch in a worker's hands. */
interface JobInHand {
  key: bigint;
  id: string;
  batchKey: bigint;
  worker: string;
}

/** Where the chunks of a provider batch begin and end, and how many of their items are twins. */
export async function readHeldChunks(
  sql: Sql,
  job: { id: string; batchKey: bigint },
): Promise<{ first: number; last: number; twins: number }[]> {
  return await sql<{ first: number; last: number; twins: number }[]>`
    select first, last, twins from chunks
    where batch_key = ${job.batchKey} and state = 'leased' and owner = ${job.id}
    order by first`;
}

/**
 * The items of its input, line by line. One that was made before items were kept has those of its
 * chunks that are unanswered.
 */
export async function readInputItems(
  sql: Sql,
  job: { key: bigint; id: string; batchKey: bigint },
): Promise<number[]> {
  const items = await sql<{ index: number }[]>`
    select generate_series(lower(run), upper(run) - 1) as index
    from provider_batches cross join lateral unnest(items) as run
    where key = ${job.key}
    union all
    select item
    from chunks c cross join lateral generate_series(c.first, c.last) as item
    where c.batch_key = ${job.batchKey} and c.state = 'leased' and c.owner = ${job.id}
      and exists (select from provider_batches where key = ${job.key} and isempty(items))
      and ${isAsked(sql, sql`c`, sql`item`)}
      and not exists (select from results r where r.batch_key = c.batch_key and r.index = item)
    order by index`;
  return items.map(({ index }) => index);
}

/** Gives back the items from an index on, for another provider batch: they do not fit. */
export async function giveBackFrom(sql: Sql, job: JobInHand, index: number): Promise<void> {
  await giveBack(sql, job, { which: sql`item >= ${index}`, rounds: 0 });
}

/**
 * Gives back the chunks of which nothing is in its input, at once: another provider batch need not
 * wait for this one to end.
 */
export async function giveBackOtherChunks(sql: Sql, job: JobInHand): Promise<void> {
  await giveBack(sql, job, {
    which: sql`not int4range(chunk.first, chunk.last, '[]') && mine.items`,
    rounds: 0,
  });
}

/**
 * Gives back the items that are not in its input, and those that were answered and have been put
 * back in the queue by a retry since.
 */
export async function giveBackOthers(sql: Sql, job: JobInHand): Promise<void> {
  await giveBack(sql, job, {
    which: sql`
      (not item <@ mine.items or exists (
        select from superseded_results s
        where s.batch_key = chunk.batch_key and s.index = item
          and s.status <> 'CANCELLED' and s.completed_at >= mine.created_at))`,
    rounds: 0,
  });
}

/**
 * Gives back items of its input, in ascending order, that it was tried with and that another one is
 * to be tried with.
 */
export async function giveBackTried(
  sql: Sql,
  job: JobInHand,
  indexes: readonly number[],
): Promise<void> {
  await giveBack(sql, job, {
    which: sql`item <@ ${toItemSet(indexes)}::int4multirange`,
    rounds: 1,
  });
}

/**
 * Gives back items of its input, in ascending order, that it was answered with and that are to be
 * asked again, at no fault of its own.
 */
export async function giveBackPaused(
  sql: Sql,
  job: JobInHand,
  indexes: readonly number[],
): Promise<void> {
  await giveBack(sql, job, {
    which: sql`item <@ ${toItemSet(indexes)}::int4multirange`,
    rounds: 0,
  });
}

/**
 * Gives back those items without a result of which `which` is true, and cuts their chunks where
 * that leaves some to the provider batch. Rejects where results of a chunk come in at the same
 * moment: its counts would be wrong, and the step is to be done again.
 */
async function giveBack(
  sql: Sql,
  { key, id, batchKey, worker }: JobInHand,
  { which, rounds }: { which: ReturnType<Sql>; rounds: 0 | 1 },
): Promise<void> {
  const [given] = await sql<{ missed: boolean }[]>`
    with batch as materialized (select key from batches where key = ${batchKey} for update),
    mine as materialized (
      -- The sum unpacks a large set once; as it is stored, every look at it would. What was made before items were kept has all of its chunks'.
      select p.key, case when isempty(p.items) then '{(,)}' else p.items + '{}' end::int4multirange as items, p.created_at from provider_batches p join batch on batch.key = p.batch_key
      where p.key = ${key} and p.worker = ${worker}
      for update of p
    ),
    leased as materialized (
      select c.batch_key, c.first from chunks c join batch on batch.key = c.batch_key
      where c.state = 'leased' and c.owner = ${id} and exists (select from mine)
    ),
    -- Of a flush or a retry that was waited for, this statement's snapshot shows the chunk and not the results.
    held_chunks as materialized (
      select c.batch_key, c.first, c.last, c.crashes, c.rounds, c.twins
      from chunks c join leased l on c.batch_key = l.batch_key and c.first = l.first
      where c.done = ${countDone(sql, sql`c`)}
      order by c.first
      for update of c
    ),
    undone as materialized (
      select chunk.first as chunk, chunk.last as chunk_last, item, ${which} as given
      from mine cross join held_chunks chunk cross join lateral generate_series(chunk.first, chunk.last) as item
      where not exists (select from results r where r.batch_key = chunk.batch_key and r.index = item)
        and ${isAsked(sql, sql`chunk`, sql`item`)}
    ),
    turns as (select *, lag(given) over (partition by chunk order by item) as before from undone),
    pieces as (
      select chunk, given, case when before is null then chunk else item end as first,
             coalesce(lead(item) over (partition by chunk order by item) - 1, chunk_last) as last
      from turns where given is distinct from before
    ),
    parts as (
      select chunk.batch_key, p.chunk, p.first, p.last, p.given, chunk.crashes, chunk.twins,
             chunk.rounds + case when p.given then ${rounds}::int else 0 end as rounds,
             case when p.given then 'open' else 'leased' end::chunk_state as state,
             case when p.given then null else ${id} end as owner
      from pieces p join held_chunks chunk on chunk.first = p.chunk
      where p.given or p.last < chunk.last or p.first > chunk.first
    ),
    cut as materialized (
      select batch_key, chunk, first, last, given, crashes, rounds, state, owner,
             ${countDone(sql, sql`p`)} as done, ${twinsOfPiece(sql, sql`p`)} as twins
      from parts p
    ),
    shortened as (
      update chunks c
      set last = p.last, done = p.done, twins = p.twins, state = p.state, owner = p.owner, rounds = p.rounds, sent_to = p.first - 1
      from cut p
      where c.batch_key = p.batch_key and c.first = p.first and p.first = p.chunk
    ),
    added as (
      insert into chunks (batch_key, first, last, done, twins, sent_to, state, owner, crashes, rounds)
      select batch_key, first, last, done, twins, first - 1, state, owner, crashes, rounds from cut where first <> chunk
    )
    update provider_batches p
    set firsts = array(
      (select unnest(p.firsts) except select first from cut where given)
      union select first from cut where not given
      order by 1)
    from mine where p.key = mine.key
    returning (select count(*) from leased) > (select count(*) from held_chunks) as missed`;
  if (given?.missed) throw new Error(`results of provider batch ${id} came in while it was cut`);
}
