/**
 * The outbox of webhooks, and the log of their delivery.
 *
 *   pending    due at `due_at`
 *   pending    with a lease: one process is sending it; were that process to die, it is due again
 *              when `due_at` comes
 *   delivered  an attempt was answered with 2xx
 *   abandoned  the schedule is over, or the endpoint answered 410
 */
import { and, inArray, sql } from 'drizzle-orm';
import type { Builder, Sql } from './driver/client.ts';
import { webhooks } from './tables.ts';
import { batchUsageJson } from './usage.ts';

type Fragment = ReturnType<Sql>;

/** How long a dead process holds its webhooks: four times as long as an attempt may take. */
const leaseSeconds = 60;
/** Of a batch's metadata as JSON text, in a body. */
export const maxMetadataBytes = 10_000;
/** A batch is announced by hand so often: each time is a request to somebody else's server. */
export const redeliverySeconds = 60;

/**
 * The body of the CTE that writes the outbox, for the very statement that ends a batch: then the
 * batch has ended if and only if its webhook is on its way. `ended` names a CTE with all columns of
 * `batches`, after the update, of those batches that this statement has ended: never one that had
 * ended before, or it is announced twice.
 *
 *     with batch as materialized (select key, status, … from batches where key = … for update),
 *     counted as (update batches b set … returning b.*),
 *     ended as (select c.* from counted c join batch on batch.key = c.key
 *               where batch.status <> c.status and c.completed_at is not null),
 *     announced as (${insertWebhooks(sql, sql`ended`)})
 *     select … from counted
 *
 * The body says how the batch ended, whatever becomes of it until it is sent. It stays under 20 kB,
 * as Standard Webhooks asks: nothing in it grows with the batch, and what people wrote is cut.
 * Metadata cannot be cut: it is whole, or left out and said to be.
 */
export function insertWebhooks(
  sql: Sql,
  ended: Fragment,
  id: Fragment = sql`'msg_' || replace(gen_random_uuid()::text, '-', '')`,
): Fragment {
  const data = sql`
               'id', b.id,
               'owner', b.owner,
               'operation', lower(b.operation),
               'status', lower(b.status::text),
               'name', left(b.name, 500),
               'metadata', case when octet_length(b.metadata) <= ${maxMetadataBytes} then b.metadata::json end,
               'model', left(b.model, 500),
               'counts', json_build_object(
                 'total', b.total,
                 'pending', b.total - b.succeeded - b.failed - b.cancelled - b.expired,
                 'succeeded', b.succeeded,
                 'failed', b.failed,
                 'cancelled', b.cancelled,
                 'expired', b.expired),
               'usage', ${sql.unsafe(batchUsageJson)},
               'error', left(b.error, 1000),
               'error_code', b.error_code,
               'created_at', ${instant(sql, sql`b.created_at`)},
               'completed_at', ${instant(sql, sql`b.completed_at`)},
               'output_path', '/batches/' || b.id || '/output'`;
  return sql`
    insert into webhooks (batch_key, id, url, endpoint, body)
    select b.key, ${id}, b.webhook_url,
           b.owner || ' ' || ${hostOf(sql, sql`b.webhook_url`)},
           json_build_object(
             'type', 'batch.' || lower(b.status::text),
             'timestamp', ${instant(sql, sql`b.completed_at`)},
             'data', case when octet_length(b.metadata) > ${maxMetadataBytes}
               then json_build_object(${data}, 'metadata_omitted', true)
               else json_build_object(${data}) end)::text
    from ${ended} b
    where b.webhook_url is not null and b.deleted_at is null`;
}

/** What came of a wish to announce a batch once more. */
export interface Redelivery {
  batchKey: bigint;
  /** False where it has no webhook, has not ended, or was announced by hand a short while ago. */
  queued: boolean;
  /** Where the latter is so: when it may be again. */
  againAt?: Date;
}

/**
 * Announces the end of a batch once more, as a message of its own with a new id: once a minute.
 * Null where the owner has no such batch.
 */
export async function insertRedelivery(
  sql: Sql,
  owner: string,
  batchId: string,
): Promise<Redelivery | null> {
  // Two at once make one id: the index has the second wait for the first, and insert nothing.
  const id: Fragment = sql`'msg_' || md5(b.id || ' ' || (select last from sent))`;
  // The end of a batch and its announcement have the same instant; what is later came by hand.
  const [done] = await sql<(Redelivery & { againAt: Date | null })[]>`
    with batch as materialized (
      select * from batches where id = ${batchId} and owner = ${owner} and deleted_at is null
    ),
    sent as materialized (
      select coalesce(max(w.key), 0) as last,
             max(w.created_at) filter (where w.created_at > batch.completed_at) as by_hand_at
      from webhooks w join batch on batch.key = w.batch_key
    ),
    recent as materialized (
      select by_hand_at + make_interval(secs => ${redeliverySeconds}) as until
      from sent where by_hand_at > now() - make_interval(secs => ${redeliverySeconds})
    ),
    ended as materialized (
      select * from batch where completed_at is not null and not exists (select from recent)
    ),
    queued as (${insertWebhooks(sql, sql`ended`, id)} on conflict (id) do nothing returning batch_key)
    select key as "batchKey", exists (select from queued) as queued,
           coalesce(
             (select until from recent),
             case when exists (select from ended where webhook_url is not null)
                   and not exists (select from queued)
               then now() + make_interval(secs => ${redeliverySeconds}) end
           ) as "againAt"
    from batch`;
  if (!done) return null;
  const { againAt, ...redelivery } = done;
  return againAt ? { ...redelivery, againAt } : redelivery;
}

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

/** How many webhooks a claim may lease. */
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
 * It goes from endpoint to endpoint along the index rather than through all that is due, so that a
 * hundred thousand for one dead endpoint neither hide the others nor cost more than its first four.
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

/** How an attempt ended. `retryInMs` null: it succeeded, or the schedule is over. */
export interface FinishedAttempt {
  key: bigint;
  lease: string;
  /** How long ago it began. */
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

/** One attempt, as the API shows it. */
export interface DeliveryRecord {
  /** Unique: the message's id, a dot and the number of the attempt. */
  id: string;
  /** The `webhook-id` header. */
  messageId: string;
  attempt: number;
  at: Date;
  statusCode: number | null;
  error: string | null;
  nextAttemptAt: Date | null;
}

/** A batch with more attempts was sent again by hand many times; the oldest are not shown. */
export const maxDeliveries = 200;

/** The delivery logs of some batches, each batch's oldest attempt first; of each the latest 200. */
export async function listDeliveries(
  sql: Sql,
  batchKeys: readonly bigint[],
): Promise<(DeliveryRecord & { batchKey: bigint })[]> {
  return await sql<(DeliveryRecord & { batchKey: bigint })[]>`
    select given as "batchKey", d.id, d."messageId", d.attempt, d.at, d."statusCode", d.error, d."nextAttemptAt"
    from unnest(${batchKeys.map(String)}::text[]::bigint[]) as given
    cross join lateral (
      select w.id || '.' || a.attempt as id, w.id as "messageId", w.key, a.attempt, a.at,
             a.status_code as "statusCode", a.error, a.next_attempt_at as "nextAttemptAt"
      from webhooks w join webhook_attempts a on a.webhook_key = w.key
      where w.batch_key = given
      order by a.at desc, w.key desc, a.attempt desc
      limit ${maxDeliveries}
    ) d
    order by given, d.at, d.key, d.attempt`;
}

/**
 * Deletes the webhooks of a batch with their log: for the deletion of the batch. What is being sent
 * is not recorded any more.
 */
export async function deleteWebhooks(sql: Sql, batchKey: bigint): Promise<void> {
  await sql`with ${takeOutWebhooks(sql, sql`batch_key = ${batchKey}`)} select`;
}

/**
 * CTEs that delete webhooks, with their log. The limits of their hosts count the attempts of the
 * last minute all the same.
 */
export function takeOutWebhooks(sql: Sql, which: Fragment): Fragment {
  return sql`
    webhook as (delete from webhooks where ${which} returning key, endpoint, lease, due_at),
    attempts as (
      delete from webhook_attempts a using webhook w where a.webhook_key = w.key
      returning a.endpoint, a.at
    ),
    counted_on as (
      insert into deleted_attempts (endpoint, host, at, lease)
      select md5(endpoint), md5(split_part(endpoint, ' ', 2)), at, lease
      from (
        select endpoint, at, null::uuid as lease from attempts
        union all
        select endpoint, due_at - make_interval(secs => ${leaseSeconds}), lease
        from webhook where lease is not null
      ) attempt
      where endpoint is not null and at > now() - interval '1 minute'
    )`;
}

/**
 * Host and port of a stored URL, without the port that is usual and the dot of a full name, which
 * name the same one.
 */
function hostOf(sql: Sql, url: Fragment): Fragment {
  const host = sql`lower(substring(${url} from '^[^:]*:/*([^/?#]*)'))`;
  const withoutPort = sql`regexp_replace(${host}, ':(443|80)$', '')`;
  return sql`coalesce(regexp_replace(${withoutPort}, '[.]+(:[0-9]+)?$', '\\1'), '')`;
}

/** ISO 8601 in UTC with milliseconds, as everywhere in the API. */
function instant(sql: Sql, column: Fragment): Fragment {
  return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
