/** Putting items back in the queue. */
import type { ItemErrorCode } from '../core/errors.ts';
import { itemsNamed } from './custom-ids.ts';
import type { Sql } from './driver/client.ts';
import { isInPreview } from './guards.ts';
import { withoutIdle } from './pauses.ts';
import { isTaken, type Taking, takenFirst } from './takings.ts';
import { usageColumns } from './usage.ts';

/** The batch of an owner, and which of its items; all where absent. */
export interface Retry {
  owner: string;
  id: string;
  customIds?: readonly string[] | undefined;
  errorCodes?: readonly ItemErrorCode[] | undefined;
}

export interface Retried {
  key: bigint;
  /** Items to be asked again: those put back, and those that a stopped batch left undone. */
  retriedItems: number;
}

/**
 * Takes back the answers of items that failed, expired or were cancelled: all, or those with the
 * given custom ids or error codes. Their chunks are reopened, and the batch goes on with its time
 * renewed. Succeeded items are never touched. A stopped batch goes on with what it had left undone
 * as well. Its output is another file from then on: how long the old one was, and that it was
 * deleted, is forgotten. Null where nothing is to be retried, where the batch is a draft or being
 * ended, or where its file has lines that are not requests. Null too where its rows were deleted.
 * `isTaken` false: its taking did not fit, and nothing was changed.
 *
 * Identical rows stay together, but a twin that is named is asked itself from now on.
 *
 * The answers move to `superseded_results` and the counters give them back in the same statement,
 * so that counts add up at every instant; usage stays, because it was paid.
 */
export async function retryItems(
  sql: Sql,
  { owner, id, customIds, errorCodes }: Retry,
  taking: Taking | null = null,
): Promise<{ result: Retried | null; isTaken: boolean }> {
  const [retried] = await sql<(Partial<Retried> & { isTaken: boolean })[]>`
    with ${takenFirst(sql, taking)}
    batch as materialized (
      select key, file_key, custom_id_field, custom_id_prefix, status, total - succeeded - failed - cancelled - expired as undone,
             ${isInPreview(sql)} as in_preview
      from batches b
      where id = ${id} and owner = ${owner} and deleted_at is null and ending is null
        and content_deleted_at is null
        and status in ('QUEUED', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED')
        and error_code is distinct from 'INVALID_INPUT_FILE'
        and ${isTaken(sql, taking)}
      for update
    ),
    moved as (
      delete from results r
      using batch b
      where r.batch_key = b.key and r.status <> 'SUCCEEDED'
        ${errorCodes ? sql`and r.error_code = any(${[...errorCodes]}::text[])` : sql``}
        ${customIds ? sql`and r.index in ${itemsNamed(sql, sql`select * from batch`, customIds)}` : sql``}
      returning r.*
    ),
    -- Of a twin that is named, the group goes on without it: it is asked itself from now on.
    put_back as materialized (
      select m.batch_key, m.index, t.index is not null as twin, t.index is not null and ${customIds !== undefined} as leaves
      from moved m left join twins t on t.batch_key = m.batch_key and t.index = m.index
    ),
    left_group as (
      delete from twins t using put_back p where t.batch_key = p.batch_key and t.index = p.index and p.leaves
    ),
    kept as (
      insert into superseded_results (batch_key, seq, completed_at, index, status, attempts, ${usageColumns(sql)},
                                      output, error_code, error_message)
      select batch_key, seq, completed_at, index, status, attempts, ${usageColumns(sql)},
             output, error_code, error_message
      from moved where requests > 0 -- the others have cost nothing
    ),
    reopened as (
      update chunks c
      set done = c.done - m.asked,
          twins = c.twins - m.leaving,
          state = case
            when c.state <> 'done' or m.asked + m.leaving = 0 then c.state
            when b.in_preview and c.in_preview is null then 'held' -- with the rest behind the preview
            else 'open' end,
          sent_to = case when c.state = 'done' then c.first - 1 else c.sent_to end,
          crashes = 0,
          rounds = 0,
          left_to_rescue = false
      from (
        -- Chunks partition the items: the one that an item is in begins last before it. By index:
        -- both sides may be large.
        select (
          select c.first from chunks c
          where c.batch_key = p.batch_key and c.first <= p.index
          order by c.first desc limit 1
        ) as first, (count(*) filter (where not twin))::int as asked, (count(*) filter (where leaves))::int as leaving
        from put_back p
        group by 1
      ) m, batch b
      where c.batch_key = b.key and c.first = m.first
    ),
    errors as (
      update batch_errors e set count = e.count - m.items
      from (select error_code, count(*)::int as items from moved where error_code is not null group by error_code) m,
           batch b
      where e.batch_key = b.key and e.code = m.error_code
    ),
    total as (
      select count(*)::int as items,
             (count(*) filter (where status = 'FAILED'))::int as failed,
             (count(*) filter (where status = 'CANCELLED'))::int as cancelled,
             (count(*) filter (where status = 'EXPIRED'))::int as expired,
             (select count(*) filter (where twin) from put_back)::int as twins,
             (select count(*) filter (where leaves) from put_back)::int as leaving
      from moved
    ),
    retried as (
      update batches b
      set failed = b.failed - t.failed, cancelled = b.cancelled - t.cancelled, expired = b.expired - t.expired,
          twins = b.twins - t.leaving, twins_recorded = b.twins_recorded - t.twins,
          seq = b.seq + 1,
          status = case when b.started_at is null then 'QUEUED' else 'PROCESSING' end::batch_status,
          completed_at = null, cancel_initiated_at = null, error = null, error_code = null,
          output_bytes = null, error_bytes = null, output_deleted_at = null, errors_deleted_at = null,
          ${withoutIdle(sql, stoppedAt(sql))}, rescued_at = null,
          -- A batch that runs and is paused stays so.
          pause_reason = case when batch.status in ('QUEUED', 'PROCESSING') then b.pause_reason end,
          paused_since = case when batch.status in ('QUEUED', 'PROCESSING') then b.paused_since end,
          expires_at = now() + make_interval(secs => b.expires_in_seconds)
      from total t, batch
      where b.key = batch.key and (t.items > 0 or batch.status = 'FAILED' and batch.undone > 0)
      returning b.key, t.items + case when batch.status = 'FAILED' then batch.undone else 0 end as "retriedItems"
    )
    select r.*, ${isTaken(sql, taking)} as "isTaken" from (select) one left join retried r on true`;
  const { key = null, retriedItems = 0, isTaken: taken = false } = retried ?? {};
  return { result: key === null ? null : { key, retriedItems }, isTaken: taken };
}

/** When a batch `b` that has ended did its last work; null of one that runs. */
function stoppedAt(sql: Sql): ReturnType<Sql> {
  return sql`case when b.completed_at is not null then least(
    b.completed_at, case when b.pause_reason is not null then b.paused_since end) end`;
}
