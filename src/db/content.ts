/**
 * Forgetting what batches were about: rows, answers, custom ids and messages go a while after their
 * end. Counts, usage, confidences, costs, and what was submitted with a batch stay.
 *
 * It is hidden at once. What is stored is blanked in steps, a moment later: who has read a batch
 * before reads it to the end.
 */
import { confidenceOf } from './confidence.ts';
import type { Sql } from './driver/client.ts';

/** Stands for a message that was deleted. */
export const deletedMessage = 'The message was deleted with the rows of the batch';

/** Items that one statement blanks. */
const stepSize = 20_000;

/** Batches that one statement finds. */
export const dueAtOnce = 500;

/** Longer than a request takes that has read a batch before. */
const hiddenSeconds = 5;

/** Keys of batches that ended so many seconds ago and still have their content, in this order. */
export async function listContentDue(sql: Sql, contentSeconds: number): Promise<bigint[]> {
  const due = await sql<{ key: bigint }[]>`
    select key from batches
    where completed_at is not null and deleted_at is null and content_deleted_at is null
      and completed_at <= now() - make_interval(secs => ${contentSeconds}::float8)
    order by completed_at limit ${dueAtOnce}`;
  return due.map(({ key }) => key);
}

/**
 * Deletes the content of an ended batch, whose answers were counted as `summaries` up to `seq`.
 * False where it runs again, was not counted, or its provider may still work on it: then nothing
 * was changed.
 */
export async function deleteContent(
  sql: Sql,
  { key, seq, summaries }: { key: bigint; seq: number; summaries: readonly string[] },
): Promise<boolean> {
  const deleted = await sql`
    with batch as materialized (
      select key, file_key, error from batches b
      where key = ${key} and seq = ${seq} and completed_at is not null and deleted_at is null
        and content_deleted_at is null
        and not exists (select from provider_batches p where p.batch_key = b.key and p.state <> 'done')
        and (seq = 0 or ${summaries.length} = (
          select count(*) from batch_summaries s
          where s.batch_key = b.key and s.seq = b.seq and s.field = any(${[...summaries]}::text[])))
      for update
    ),
    file as (
      -- A file without rows has a step to go too: what was rejected of it.
      update files f
      set content_deleted_at = now(),
          content_blanked_to = least(f.content_blanked_to, f.item_count - 1)
      from batch where f.key = batch.file_key
    ),
    examples as (
      update batch_errors e set message = ${deletedMessage} from batch where e.batch_key = ${key}
    ),
    announced as (
      update webhooks w set body = (${withoutError(sql)})
      from batch where w.batch_key = ${key} and batch.error is not null
    )
    update batches b
    set content_deleted_at = now(), error = case when b.error is not null then ${deletedMessage} end,
        waiting_reason = null, pause_message = null,
        output_deleted_at = coalesce(b.output_deleted_at, now()),
        errors_deleted_at = coalesce(b.errors_deleted_at, now())
    from batch where b.key = ${key}`;
  return deleted.count === 1;
}

/** The body of a webhook `w`, its members in their order, with another error. */
function withoutError(sql: Sql) {
  return sql`
    select json_object_agg(m.key, case when m.key = 'data' then (
      select json_object_agg(d.key, case when d.key = 'error' then to_json(${deletedMessage}::text) else d.value end)
      from json_each(m.value) d) else m.value end)::text
    from json_each(w.body::json) m`;
}

/**
 * Deletes files of which every batch has lost its content. Returns how many of them their owners
 * had uploaded. A batch that is submitted in the same instant keeps the rows.
 */
export async function deleteBlankedFiles(sql: Sql): Promise<number> {
  const deleted = await sql<{ listed: boolean }[]>`
    update files f set deleted_at = now()
    where content_deleted_at is not null and content_blanked_to < item_count and deleted_at is null
      and ${isForgotten(sql)}
    returning listed`;
  return deleted.filter(({ listed }) => listed).length;
}

/** No batch over the file, a row `f` of `files`, has its content any more. */
function isForgotten(sql: Sql) {
  return sql`not exists (
    select from batches b
    where b.file_key = f.key and b.deleted_at is null and b.content_deleted_at is null)`;
}

/**
 * Batches and files that are to be blanked now: their content was deleted, and nobody reads it any
 * more. `isWaiting`: there are some, perhaps none yet.
 */
export async function listBlankable(
  sql: Sql,
): Promise<{ batches: bigint[]; files: bigint[]; isWaiting: boolean }> {
  const found = await sql<{ key: bigint; kind: 'batch' | 'file'; isHidden: boolean }[]>`
    (select key, 'batch' as kind, ${isHidden(sql)} as "isHidden" from batches
     where content_deleted_at is not null and content_blanked_to < total and deleted_at is null
     order by key limit 100)
    union all
    (select key, 'file', ${isHidden(sql)} from files f
     where content_deleted_at is not null and content_blanked_to < item_count
       and deleted_at is not null and ${isForgotten(sql)}
     order by key limit 100)`;
  const of = (wanted: 'batch' | 'file') =>
    found.filter(({ kind, isHidden }) => kind === wanted && isHidden).map(({ key }) => key);
  return { batches: of('batch'), files: of('file'), isWaiting: found.length > 0 };
}

function isHidden(sql: Sql) {
  return sql`content_deleted_at <= now() - make_interval(secs => ${hiddenSeconds})`;
}

/**
 * Blanks the answers of the next 20,000 items of a batch whose content was deleted, and forgets as
 * many custom ids. True when there is more to do; false too where another process is at it.
 */
export async function blankBatchStep(sql: Sql, key: bigint): Promise<boolean> {
  const [step] = await sql<{ hasMore: boolean }[]>`
    with batch as materialized (
      select key, content_blanked_to as first, least(total, content_blanked_to + ${stepSize}) as upto, operation
      from batches
      where key = ${key} and content_deleted_at is not null and content_blanked_to < total
      for update skip locked
    ),
    answers as (
      update results r
      set output = null, error_message = null, rejected_answer = null,
          -- What is older than the column has it in its output.
          confidence = case when (select operation from batch) = 'label' then ${confidenceOf(sql)} else r.confidence end
      where r.batch_key = ${key} and ${isInStep(sql, sql`r`, sql`batch`)}
        and (r.output is not null or r.error_message is not null or r.rejected_answer is not null)
    ),
    superseded as (
      update superseded_results s set output = null, error_message = null
      where s.batch_key = ${key} and ${isInStep(sql, sql`s`, sql`batch`)}
        and (s.output is not null or s.error_message is not null)
    ),
    ids as materialized (
      select min(custom_id) as first, max(custom_id) as last
      from (select custom_id from custom_ids where batch_key = ${key} order by custom_id limit ${stepSize}) i
      where exists (select from batch)
    ),
    named as (
      delete from custom_ids
      where batch_key = ${key}
        and custom_id >= (select first from ids) and custom_id <= (select last from ids)
    )
    update batches b set content_blanked_to = batch.upto
    from batch where b.key = ${key}
    returning batch.upto < b.total as "hasMore"`;
  return step?.hasMore ?? false;
}

/**
 * The index of a row is one of this step. Both ends are named by values: of anything else the
 * planner expects more of the table, and may read all of it.
 */
function isInStep(sql: Sql, row: ReturnType<Sql>, step: ReturnType<Sql>) {
  return sql`(${row}.index >= (select first from ${step}) and ${row}.index < (select upto from ${step}))`;
}

/**
 * The same of the next 20,000 rows of a file that no batch with content uses. With the last of them
 * its bytes are its owner's again.
 */
export async function blankFileStep(sql: Sql, key: bigint): Promise<boolean> {
  const [step] = await sql<{ hasMore: boolean }[]>`
    with file as materialized (
      select key, content_blanked_to as first, least(item_count, content_blanked_to + ${stepSize}) as upto
      from files f
      where key = ${key} and content_deleted_at is not null and content_blanked_to < item_count
        and deleted_at is not null and ${isForgotten(sql)}
      for update skip locked
    ),
    blanked as (
      update rows r set content = '', fields = null, custom_id = null
      where r.file_key = ${key} and ${isInStep(sql, sql`r`, sql`file`)}
    )
    update files f
    set content_blanked_to = file.upto, rejections = '[]', problems = '[]',
        size_bytes = case when file.upto < f.item_count then f.size_bytes else 0 end
    from file where f.key = ${key}
    returning file.upto < f.item_count as "hasMore"`;
  return step?.hasMore ?? false;
}
