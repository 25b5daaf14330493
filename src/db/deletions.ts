/** Taking batches out: hidden at once, purged in steps that hold no lock for long. */
import { and, isNull, sql } from 'drizzle-orm';
import type { Builder, Sql } from './driver/client.ts';
import { batchOf } from './guards.ts';
import { batches } from './tables.ts';
import { deleteWebhooks } from './webhooks.ts';

/** A batch that is unknown to its owner from now on. */
export interface HiddenBatch {
  key: bigint;
  id: string;
  owner: string;
}

/** Rows removed by one statement. */
const stepSize = 20_000;

/**
 * Hides a batch from its owner and from the workers, and frees its idempotency key. Null where
 * the batch does not exist.
 */
export async function hideBatch(
  { query }: Builder,
  owner: string,
  id: string,
): Promise<bigint | null> {
  const [hidden] = await query
    .update(batches)
    .set({ deletedAt: sql`now()`, idempotencyKey: null })
    .where(and(batchOf(owner, id), isNull(batches.deletedAt)))
    .returning({ key: batches.key });
  return hidden?.key ?? null;
}

/** Deleted batches that no worker holds any more, nor the provider works on. */
export async function listPurgeable(sql: Sql): Promise<bigint[]> {
  const purgeable = await sql<{ key: bigint }[]>`
    select key from batches b where ${isLetGo(sql)} order by key limit 100`;
  return purgeable.map(({ key }) => key);
}

/** True where a batch is one of these. */
export async function isPurgeable(sql: Sql, key: bigint): Promise<boolean> {
  const found = await sql`select from batches b where key = ${key} and ${isLetGo(sql)}`;
  return found.count === 1;
}

/** A deleted batch, a row `b` of `batches`, is nobody's work any more. */
function isLetGo(sql: Sql) {
  return sql`(
    b.deleted_at is not null
    and not exists (select from chunks c where c.batch_key = b.key and c.state = 'leased')
    and not exists (select from provider_batches p where p.batch_key = b.key and p.state <> 'done'))`;
}

/**
 * Removes up to 20,000 rows of a deleted batch: of one table after the other, so that no step takes
 * longer for a batch that has rows in several, and behind the last of them the batch itself. An
 * unlisted file that nobody uses any more is handed to the purge of files. True when there is more
 * to do.
 */
export async function purgeBatchStep(sql: Sql, key: bigint): Promise<boolean> {
  const [step] = await sql<{ removed: number }[]>`
    with gone as (${deleteFirst(sql, 'results', { key, column: 'index' })}),
    superseded as (${deleteFirst(sql, 'superseded_results', { key, column: 'index', behind: ['gone'] })}),
    named as (${deleteFirst(sql, 'custom_ids', { key, column: 'custom_id', behind: ['gone', 'superseded'] })}),
    alike as (${deleteFirst(sql, 'twins', { key, column: 'index', behind: ['gone', 'superseded', 'named'] })}),
    cut as (${deleteFirst(sql, 'chunks', { key, column: 'first', behind: ['gone', 'superseded', 'named', 'alike'] })})
    select ((select count(*) from gone) + (select count(*) from superseded)
            + (select count(*) from named) + (select count(*) from alike) + (select count(*) from cut))::int as removed`;
  if ((step?.removed ?? 0) > 0) return true;
  await deleteWebhooks(sql, key);
  await sql`
    with batch as (
      delete from batches where key = ${key} and deleted_at is not null returning file_key
    ),
    errors as (delete from batch_errors where batch_key = ${key}),
    summaries as (delete from batch_summaries where batch_key = ${key}),
    jobs as (delete from provider_batches where batch_key = ${key})
    update files f set deleted_at = now()
    from batch
    where f.key = batch.file_key and not f.listed and f.deleted_at is null
      and not exists (select from batches b where b.file_key = f.key and b.key <> ${key})`;
  return false;
}

/**
 * Deletes the first 20,000 rows of a batch in the order of its key, where the parts of the
 * statement that are named in `behind` deleted none. Both ends are named: of a range with one end
 * the planner expects a third of the table, and reads all of it.
 */
function deleteFirst(
  sql: Sql,
  table: string,
  { key, column, behind = [] }: { key: bigint; column: string; behind?: readonly string[] },
) {
  const isTurn = behind.reduce(
    (all, part) => sql`${all} and not exists (select from ${sql(part)})`,
    sql``,
  );
  return sql`
    with step as materialized (
      select min(id) as first, max(id) as last
      from (select ${sql(column)} as id from ${sql(table)}
            where batch_key = ${key} ${isTurn} order by id limit ${stepSize}) ids
    )
    delete from ${sql(table)}
    where batch_key = ${key}
      and ${sql(column)} >= (select first from step) and ${sql(column)} <= (select last from step)
    returning 1`;
}
