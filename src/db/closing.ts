/** Parts of the statements that write results, and so may bring a batch to its end. */
import type { Sql } from './driver/client.ts';
import { isNotFinal } from './guards.ts';
import type { FinalStatus } from './tables.ts';
import { insertWebhooks } from './webhooks.ts';

/** Adds the errors of the rows `inserted` to those of the batch. */
export function countErrors(sql: Sql, batchKey: bigint) {
  return sql`
    errors as (
      insert into batch_errors (batch_key, code, count, message)
      select ${batchKey}, error_code, count(*), min(error_message)
      from inserted where error_code is not null group by error_code
      on conflict (batch_key, code) do update set count = batch_errors.count + excluded.count
    )`;
}

/**
 * The batch ends with its last item; where it ends up depends on whether it was being ended, which
 * it then is no more, and on what became of items before, or does now: `ending`.
 */
export function closeWhenFull(sql: Sql, items: ReturnType<Sql>, ending: FinalStatus = 'SUCCEEDED') {
  const full = sql`b.succeeded + b.failed + b.cancelled + b.expired + ${items} = b.total
    and ${isNotFinal(sql)}`;
  // After a retry of some items, others may have been left as they were.
  const leftUndone = sql`case when b.cancelled > 0 then 'CANCELLED'
    when b.expired > 0 or ${ending} = 'EXPIRED' then 'EXPIRED' else 'COMPLETED' end`;
  return sql`
    status = case when ${full} then coalesce(b.ending::text, ${leftUndone})::batch_status else b.status end,
    ending = case when ${full} then null else b.ending end,
    completed_at = case when ${full} then now() else b.completed_at end`;
}

/** Columns that every write of results returns of its batch, of the row `counted`. */
export function toldOfBatch(sql: Sql) {
  return sql`recorded, status, ending, owner, operation, execution,
    coalesce(extract(epoch from completed_at - created_at), 0)::float8 as seconds`;
}

/** The failed items of `inserted` by their codes, as JSON; null where `failed` is 0. */
export function failedByCode(sql: Sql, failed: ReturnType<Sql>) {
  return sql`case when ${failed} > 0 then (
    select json_object_agg(error_code, items) from (
      select error_code, count(*)::int as items from inserted
      where error_code is not null group by error_code
    ) coded
  ) end`;
}

/** The webhook of a batch that this statement has ended, written with the end itself. */
export function announceEnd(sql: Sql) {
  return sql`
    ended as (
      select c.* from counted c join batch on batch.key = c.key
      where batch.status <> c.status and c.completed_at is not null
    ),
    announced as (${insertWebhooks(sql, sql`ended`)})`;
}
