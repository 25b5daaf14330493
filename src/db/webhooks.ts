import type { Sql } from './driver/client.ts';
import { batchUsageJson } from './usage.ts';
import { leaseSeconds } from './webhook-claims.ts';

type Fragment = ReturnType<Sql>;

/** Most bytes of a batch's metadata as JSON text, in a body. */
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

/** The outcome of a wish to announce a batch once more. */
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
