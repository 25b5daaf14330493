/** The work of all processes together: figures of the whole database. */
import type { Sql } from './driver/client.ts';
import type { Execution } from './tables.ts';

/** The work before running batches of one way of execution. */
interface Load {
  execution: Execution;
  /** Items that nobody holds, and those that a worker or a provider batch holds. */
  waiting: number;
  inFlight: number;
  /** Since the last result, or the submit, of the batch that has waited longest; 0: none. */
  oldestSeconds: number;
}

export interface Overview {
  loads: Load[];
  /** Batches by the status that is shown, but for those that have ended. */
  active: { status: string; batches: number }[];
  providerBatches: { provider: string; state: string; batches: number }[];
}

/**
 * Null where another process tells of it: the one of all that live which began first, so that the
 * figures of all processes may be added up.
 */
export async function readOverview(sql: Sql, processId: string): Promise<Overview | null> {
  const [found] = await sql<Overview[]>`
    with told as materialized (
      select from (
        select id from workers where expires_at > now() order by started_at, id limit 1
      ) oldest where id = ${processId}
    ),
    running as materialized (
      select b.key, b.execution, greatest(b.created_at, b.started_at, b.rate_at) as since,
             b.total - b.succeeded - b.failed - b.cancelled - b.expired - (b.twins - b.twins_recorded) as left,
             coalesce((
               select sum(c.last - c.first + 1 - c.done - c.twins) from chunks c
               where c.batch_key = b.key and c.state = 'leased'
             ), 0) as held
      from batches b
      where b.status in ('QUEUED', 'PROCESSING') and b.ending is null and b.deleted_at is null
        and b.pause_reason is null and exists (select from told)
    ),
    loads as (
      select execution, sum(greatest(0, "left" - held))::int as waiting, sum(held)::int as "inFlight",
             coalesce(max(extract(epoch from now() - since)) filter (where "left" > held), 0)::float8 as "oldestSeconds"
      from running group by execution
    ),
    active as (
      select case when b.pause_reason is not null and b.ending is null then 'PAUSED' else b.status::text end as status,
             count(*)::int as batches
      from batches b
      where b.status in ('DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING') and b.deleted_at is null
      group by 1
    ),
    at_providers as (
      select split_part(model, '/', 1) as provider, state::text as state, count(*)::int as batches
      from provider_batches where state <> 'done' group by 1, 2
    )
    select (select coalesce(json_agg(l), '[]') from loads l) as loads,
           (select coalesce(json_agg(a), '[]') from active a) as active,
           (select coalesce(json_agg(p), '[]') from at_providers p) as "providerBatches"
    from told`;
  return found ?? null;
}

/** Batches that have ended, by status. It reads all of them: to be asked rarely. */
export async function countEnded(sql: Sql): Promise<{ status: string; batches: number }[]> {
  return await sql`
    select status::text as status, count(*)::int as batches from batches
    where status not in ('DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING') and deleted_at is null
    group by 1`;
}
