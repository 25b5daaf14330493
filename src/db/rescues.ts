/** The unanswered rest of provider batches: when it is called live, and when it is given up. */
import type { Sql } from './driver/client.ts';
import { isInPreview, isRunning } from './guards.ts';

/** Gives an expired provider batch's rest back for live calls, when `rescueBatches` says. */
export async function leaveToRescue(
  sql: Sql,
  job: { key: bigint; id: string; batchKey: bigint; worker: string },
): Promise<void> {
  await sql`
    with batch as materialized (select key from batches where key = ${job.batchKey} for update)
    update chunks set state = 'open', owner = null, sent_to = first - 1, left_to_rescue = true
    where batch_key = ${job.batchKey} and exists (select from batch) and owner = ${job.id}
      and exists (select from provider_batches where key = ${job.key} and worker = ${job.worker})`;
}

/**
 * From now on the open items of some batches go to live calls: of those that ask for it, and whose
 * time is nearly over or whose provider has only left what its window passed over. Nearly over: a
 * tenth of the time is left, at least half a minute and at most an hour, and never more than half.
 * Returns the keys of these batches.
 */
export async function rescueBatches(sql: Sql): Promise<bigint[]> {
  const rescued = await sql<{ key: bigint }[]>`
    update batches b set rescued_at = now()
    where execution = 'PROVIDER_BATCH' and rescue and rescued_at is null
      and ${isRunning(sql)} and pause_reason is null and not ${isInPreview(sql)}
      and (now() >= expires_at - make_interval(secs =>
             least(3600, greatest(30, expires_in_seconds / 10.0), expires_in_seconds / 2.0))
           or not exists (select from provider_batches p where p.batch_key = b.key and p.state <> 'done')
              and exists (select from chunks c where c.batch_key = b.key and c.state = 'open')
              and not exists (select from chunks c where c.batch_key = b.key and c.state = 'open' and not c.left_to_rescue))
    returning key`;
  return rescued.map(({ key }) => key);
}

/** Batches with chunks that provider batches have left items of unanswered too often. */
export async function listGivenUp(sql: Sql, maxRounds: number): Promise<bigint[]> {
  const givenUp = await sql<{ key: bigint }[]>`
    select key from batches b
    where execution = 'PROVIDER_BATCH' and rescued_at is null
      and ${isRunning(sql)}
      and exists (select from chunks c where c.batch_key = b.key and c.state = 'open' and c.rounds >= ${maxRounds})
    order by key
    limit 100`;
  return givenUp.map(({ key }) => key);
}
