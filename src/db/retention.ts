/** Deletion by itself: batches a while after their end, and files that no batch uses. */
import { eq, sql } from 'drizzle-orm';
import type { HiddenBatch } from './deletions.ts';
import type { Builder, Sql } from './driver/client.ts';
import { files } from './tables.ts';

/** Times that things are kept, in seconds, and when they go. Null: for ever; of `hours`: always. */
export interface Retention {
  /** Since the end of a batch. */
  batchSeconds: number | null;
  /** Since the end of a batch, of its rows, answers and messages. */
  contentSeconds: number | null;
  /** Since the upload of a file that no batch uses. */
  fileSeconds: number | null;
  /** Hours of the server's local time: from the first on, before the second. */
  hours: { from: number; to: number } | null;
}

/** Hidden by one statement, and told of one by one. */
export const hiddenAtOnce = 500;

/** Seconds that an upload is kept whose batch was refused: its id was told, and can be used. */
export const leftSeconds = 24 * 60 * 60;

/**
 * Hides batches that ended so many seconds ago, or as many as they were given if those are fewer:
 * the longest ended first, `hiddenAtOnce` at most. Null: those alone that were given a time. A
 * batch that runs, or runs again, is never one of them.
 */
export async function hideEndedBatches(
  sql: Sql,
  retainSeconds: number | null,
): Promise<HiddenBatch[]> {
  return await sql<HiddenBatch[]>`
    with due as materialized (
      select key from batches
      where completed_at is not null and deleted_at is null and key in (
        (select key from batches
         where completed_at is not null and deleted_at is null
           and completed_at <= now() - make_interval(secs => ${retainSeconds}::float8)
         order by completed_at limit ${hiddenAtOnce})
        union all
        (select key from batches
         where retain_seconds is not null and deleted_at is null
           and completed_at <= now() - make_interval(secs => retain_seconds)
         order by completed_at limit ${hiddenAtOnce})
      )
      limit ${hiddenAtOnce}
      for update skip locked
    )
    update batches b set deleted_at = now(), idempotency_key = null
    from due
    where b.key = due.key
    returning b.key, b.id, b.owner`;
}

/** Seconds that the batch is given which is to go soonest after its end; null without any. */
export async function readShortestRetain(sql: Sql): Promise<number | null> {
  const [found] = await sql<{ seconds: number | null }[]>`
    select min(retain_seconds) as seconds from batches
    where retain_seconds is not null and deleted_at is null`;
  return found?.seconds ?? null;
}

/**
 * Deletes the files that came so many seconds ago and that no batch uses. Returns how many. A batch
 * that is submitted in the same instant keeps the rows.
 */
export async function deleteOldFiles(sql: Sql, retainSeconds: number): Promise<number> {
  const deleted = await sql`
    update files f set deleted_at = now()
    where listed and deleted_at is null
      and created_at <= now() - make_interval(secs => ${retainSeconds}::float8)
      and not exists (select from batches where file_key = f.key and deleted_at is null)`;
  return deleted.count;
}

/** Notes that the batch that came with an upload was refused. */
export async function markLeft({ query }: Builder, fileId: string): Promise<void> {
  await query.update(files).set({ leftAt: sql`now()` }).where(eq(files.id, fileId));
}

/** The same of uploads whose batch was refused a day ago, but for those that had one since. */
export async function deleteLeftFiles(sql: Sql): Promise<number> {
  await sql`
    update files f set left_at = null
    where left_at is not null and deleted_at is null
      and exists (select from batches where file_key = f.key)`;
  const deleted = await sql`
    update files f set deleted_at = now()
    where left_at <= now() - make_interval(secs => ${leftSeconds}) and deleted_at is null
      and not exists (select from batches where file_key = f.key and deleted_at is null)`;
  return deleted.count;
}

/** The use of a file by the batches over it. */
export interface FileUse {
  fileKey: bigint;
  /** When they have all gone; null where one of them stays. */
  freeAt: Date | null;
  /** When the rows go with the content of the last of them; null where they do not. */
  contentGoesAt: Date | null;
}

/** Times until which batches use these files. */
export async function readFileUse(
  sql: Sql,
  fileKeys: readonly bigint[],
  { batchSeconds, contentSeconds }: Pick<Retention, 'batchSeconds' | 'contentSeconds'>,
): Promise<FileUse[]> {
  const later = (seconds: ReturnType<Sql>) => sql`completed_at + make_interval(secs => ${seconds})`;
  return await sql<FileUse[]>`
    with used as (
      select file_key, ${later(sql`least(retain_seconds, ${batchSeconds}::float8)`)} as until,
             ${later(sql`${contentSeconds}::float8`)} as content_until
      from batches
      where file_key = any(${fileKeys.map(String)}::text[]::bigint[]) and deleted_at is null
    )
    select file_key as "fileKey",
           case when count(*) = count(until) then max(until) end as "freeAt",
           case when count(*) = count(content_until)
                     and bool_or(content_until < coalesce(until, 'infinity'))
                then max(least(content_until, until)) end as "contentGoesAt"
    from used group by file_key`;
}
