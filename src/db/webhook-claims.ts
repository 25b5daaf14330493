/** Which webhooks are sent now, by which process, in the limits of hosts; and what came of it. */
import { and, inArray, sql } from 'drizzle-orm';
import type { Builder, Sql } from './driver/client.ts';
import { webhooks } from './tables.ts';

/** Time that a dead process holds its webhooks: four times as long as an attempt may take. */
export const leaseSeconds = 60;
/** A webhook that is to be sent now, by the process that has its lease. */
export interface ClaimedWebhook {
  key: bigint;
  lease: string;
  id: string;
  owner: string;
  url: string;
  body: string;
  /** Attempts that were made and recorded before. */
  attempts: number;
  /** The public id of its batch, and the trace that this was submitted in. */
  batchId: string;
  traceparent: string | null;
}

/** Number of webhooks that a claim may lease. */
interface ClaimLimits {
  /** Webhooks that were never tried. */
  firsts: number;
  /** Those that were. */
  retries: number;
  /** Attempts at one host that are under way. */
  perHost: number;
  /** Attempts at one host that begin in a minute. */
  perHostMinute: number;
}

/**
 * Leases due webhooks, in the limits. Those of a host count whichever process and owner has them;
 * owners of one host take turns, by how many attempts each had in the last minute. (Two claims at
 * the same instant do not see each other and may exceed them.)
 *
 * It goes from endpoint to endpoint along the index, and not through all that is due. So a hundred
 * thousand for one dead endpoint do not hide the others, and cost no more than its first four.
 */
export async function claimWebhooks(sql: Sql, limits: ClaimLimits): Promise<ClaimedWebhook[]> {
  const { firsts, retries, perHost, perHostMinute } = limits;
  return await sql<ClaimedWebhook[]>`
    with recursive endpoints as (
      (select endpoint from webhooks where state = 'pending' order by endpoint limit 1)
      union all
      select (select w.endpoint from webhooks w
              where w.state = 'pending' and w.endpoint > e.endpoint order by w.endpoint limit 1)
      from endpoints e where e.endpoint is not null
    ),
    under_way as materialized (
      select endpoint, split_part(endpoint, ' ', 2) as host, count(*)::int as attempts
      from webhooks where lease is not null and due_at > now() group by endpoint
    ),
    due as materialized (
      select e.endpoint, split_part(e.endpoint, ' ', 2) as host, w.key, w.retry, w.due_at, w.nth
      from endpoints e
      cross join lateral (
        select key, attempts > 0 as retry, due_at, row_number() over (order by due_at, key) as nth
        from (select key, attempts, due_at from webhooks
              where state = 'pending' and endpoint = e.endpoint and due_at <= now()
              order by due_at limit ${perHost}::int) next
      ) w
    ),
    recent as materialized (
      select a.endpoint, host.host, count(*)::int as attempts
      from (select distinct host from due) host
      cross join lateral (
        select endpoint from webhook_attempts
        where split_part(endpoint, ' ', 2) = host.host and at > now() - interval '1 minute'
      ) a
      group by a.endpoint, host.host
    ),
    deleted as materialized (
      select endpoint, host, count(*)::int as attempts, count(lease)::int as under_way
      from deleted_attempts where at > now() - interval '1 minute' group by endpoint, host
    ),
    swept as (delete from deleted_attempts where at <= now() - interval '1 minute'),
    hosts as materialized (
      select d.host, coalesce(u.attempts, 0) + coalesce(g.under_way, 0) as under_way,
             coalesce(u.attempts, 0) + coalesce(r.attempts, 0) + coalesce(g.attempts, 0) as in_minute
      from (select distinct host from due) d
      left join (select host, sum(attempts) as attempts from under_way group by host) u on u.host = d.host
      left join (select host, sum(attempts) as attempts from recent group by host) r on r.host = d.host
      left join (select host, sum(attempts) as attempts, sum(under_way) as under_way
                 from deleted group by host) g on g.host = md5(d.host)
    ),
    turns as materialized (
      select d.key, d.retry, d.due_at, d.host, row_number() over (
               partition by d.host
               order by d.nth + coalesce(u.attempts, 0) + coalesce(r.attempts, 0) + coalesce(g.attempts, 0),
                        d.due_at, d.key
             ) as turn
      from due d
      left join under_way u on u.endpoint = d.endpoint
      left join recent r on r.endpoint = d.endpoint
      left join deleted g on g.endpoint = md5(d.endpoint)
    ),
    ranked as materialized (
      select key, retry, row_number() over (partition by retry order by due_at, key) as nth
      from turns join hosts h on h.host = turns.host
      where turn <= least(${perHost}::int - h.under_way, ${perHostMinute}::int - h.in_minute)
    ),
    picked as materialized (
      select w.key from webhooks w join ranked r on r.key = w.key
      where w.state = 'pending' and w.due_at <= now()
        and r.nth <= case when r.retry then ${retries}::int else ${firsts}::int end
      for update of w skip locked
    )
    update webhooks w
    set lease = gen_random_uuid(), due_at = now() + make_interval(secs => ${leaseSeconds})
    from picked, batches b where w.key = picked.key and b.key = w.batch_key
    returning w.key, w.lease, w.id, split_part(w.endpoint, ' ', 1) as owner, w.url, w.body, w.attempts,
              b.id as "batchId", b.traceparent`;
}

/** The end of an attempt. `retryInMs` null: it succeeded, or the schedule is over. */
export interface FinishedAttempt {
  key: bigint;
  lease: string;
  /** Milliseconds since it began. */
  tookMs: number;
  delivered: boolean;
  statusCode: number | null;
  error: string | null;
  retryInMs: number | null;
}

/**
 * Writes an attempt into the log and schedules the next one, or closes the webhook. False when the
 * lease is another's by now: then nothing is written, the webhook is sent again, and that attempt
 * is the one that counts.
 */
export async function recordAttempt(sql: Sql, attempt: FinishedAttempt): Promise<boolean> {
  const { key, lease, tookMs, delivered, statusCode, error, retryInMs } = attempt;
  const state = delivered ? 'delivered' : retryInMs === null ? 'abandoned' : 'pending';
  const recorded = await sql`
    with attempted as (
      update webhooks
      set attempts = attempts + 1, lease = null, state = ${state},
          due_at = now() + make_interval(secs => ${(retryInMs ?? 0) / 1_000})
      where key = ${key} and lease = ${lease}
      returning key, attempts, state, due_at, endpoint
    ),
    outlived as (update deleted_attempts set lease = null where lease = ${lease})
    insert into webhook_attempts
      (webhook_key, attempt, at, status_code, error, next_attempt_at, endpoint)
    select key, attempts, now() - make_interval(secs => ${tookMs / 1_000}), ${statusCode}::int, ${error}::text,
           case when state = 'pending' then due_at end, endpoint
    from attempted
    returning attempt`;
  return recorded.count === 1;
}

/** Gives back what was leased and not sent to its end, as if it had never been leased. */
export async function releaseWebhooks(
  { query }: Builder,
  leased: readonly { key: bigint; lease: string }[],
): Promise<void> {
  const keys = leased.map(({ key }) => key);
  const leases = leased.map(({ lease }) => lease);
  await query
    .update(webhooks)
    .set({ lease: null, dueAt: sql`now()` })
    .where(and(inArray(webhooks.key, keys), inArray(webhooks.lease, leases)));
}
