/** Which provider batch is taken in hand next, and whether it is to go on. */
import type { Sql } from './driver/client.ts';
import { isRunning } from './guards.ts';
import type { ProviderJob } from './provider-batches.ts';
import { addResent } from './spending.ts';

/** Jobs that a process has in hand. */
export interface InHand {
  /**
   * The provider batches that it does a step of. What else the database has in its hands was lost
   * on the way, and is taken again.
   */
  ids: readonly string[];
  /** Owners who have their share of its steps: theirs wait. */
  busyOwners: readonly string[];
}

/**
 * Puts a provider batch whose time has come into a worker's hands: the one with the id, or the next
 * that nobody alive holds.
 */
export async function holdProviderBatch(
  sql: Sql,
  hold: { worker: string; id: string } | ({ worker: string; id: null } & InHand),
): Promise<ProviderJob | null> {
  const { worker, id } = hold;
  const { ids, busyOwners } = hold.id === null ? hold : { ids: [], busyOwners: [] };
  const [job] = await sql<ProviderJob[]>`
    with due as materialized (
      select p.key, p.live_calls as lost, b.id as batch_id, b.owner, b.ending, b.pause_reason is not null as paused, ${unwanted(sql)} as unwanted,
             b.rescue, b.rescued_at is not null as rescued,
             exists (
               select from chunks c where c.batch_key = b.key and c.first = any(p.firsts) and c.state = 'open'
             ) as suspended
      from provider_batches p join batches b on b.key = p.batch_key
      where p.state <> 'done'
        -- One of a batch that failed waits for a retry, once it has given its chunks back.
        and (b.deleted_at is not null
             or b.status <> 'FAILED' and b.ending is distinct from 'FAILED'
             or exists (select from chunks c where c.batch_key = b.key and c.state = 'leased' and c.owner = p.id))
        and (p.worker = ${worker} and p.id = ${id}
             or ${id}::text is null and b.owner <> all(${[...busyOwners]}::text[])
                and case when p.worker = ${worker} then p.id <> all(${[...ids]}::text[])
                         else not exists (select from workers w where w.id = p.worker and w.expires_at > now()) end
                -- The end that is wanted does not wait for the next look, unless it has been asked for already or nobody knows of what.
                and (p.due_at <= now() or b.ending = 'FAILED' or b.pause_reason is not null and p.state = 'preparing'
                     or p.cancelled_at is null and p.state in ('preparing', 'working')
                        and (b.ending is not null or ${unwanted(sql)} or b.rescued_at is not null)))
      order by p.due_at
      limit 1
      for update of p skip locked
    ),
    resent as (
      update batches b set resent_requests = b.resent_requests + due.lost
      from due join provider_batches p on p.key = due.key
      where b.key = p.batch_key and due.lost > 0 and ${isRunning(sql)}
      returning b.key, due.lost as requests
    ),
    spent as (${addResent(sql, sql`select key, requests, 0 as own from resent`)})
    update provider_batches p set worker = ${worker}, live_calls = 0
    from due
    where p.key = due.key
    returning p.key, p.batch_key as "batchKey", p.id, p.model, p.state, p.requests, p.input_id as "inputId",
              p.provider_id as "providerId", p.status, p.succeeded, p.failed, p.cancelled, p.expired, p.results,
              p.expires_at as "expiresAt", p.cancelled_at as "cancelledAt", p.failures, p.live_calls as "liveCalls",
              p.created_at as "createdAt", p.ended_at as "endedAt", due.batch_id as "batchId", due.owner, due.ending, due.paused, due.unwanted,
              due.rescue, due.rescued, due.suspended, now() as now`;
  return job ?? null;
}

/**
 * True of a batch `b` that wants no more jobs. One that failed may be retried, and goes on with its
 * provider batches then.
 */
function unwanted(sql: Sql) {
  return sql`(b.deleted_at is not null or b.status in ('COMPLETED', 'CANCELLED', 'EXPIRED'))`;
}

/**
 * True where the end of a batch, or a pause, has come to be wanted while a step of a job went on.
 */
export async function readWanted(sql: Sql, batchKey: bigint): Promise<Wanted> {
  const [wanted] = await sql<Wanted[]>`
    select ending, pause_reason is not null as paused, ${unwanted(sql)} as unwanted,
           rescued_at is not null as rescued
    from batches b where key = ${batchKey}`;
  return wanted ?? { ending: null, paused: false, unwanted: true, rescued: false };
}

type Wanted = Pick<ProviderJob, 'ending' | 'paused' | 'unwanted' | 'rescued'>;
