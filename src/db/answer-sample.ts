/** The cost of some answers of a batch, for an estimate of the others. */
import type { Sql } from './driver/client.ts';

/**
 * Size of a sample: of so many answers and more, at least so many are read and less than twice as
 * many.
 */
const sampleSize = 400;

/**
 * Means over items that were asked, not over their twins. Costs in USD, at the price of a live
 * call.
 */
export interface AnswerSample {
  answers: number;
  /** Mean cost of an item; null where the price of an answer is unknown. */
  meanUsd: number | null;
  /** Standard deviation of the cost of an item; null where the mean is. */
  sdUsd: number | null;
  /** Requests of an item, and tokens of all of them, on average. */
  meanRequests: number;
  meanTokens: number;
  /** When the last of them was recorded. */
  lastAt: Date;
}

/**
 * Reads the answers of the preview, which stand for the whole batch; or answers spread evenly over
 * those that there are. `batchShare` is what a job of the provider takes of the live price. Null
 * where there are none.
 */
export async function readAnswerSample(
  sql: Sql,
  batchKey: bigint,
  { ofPreview, batchShare }: { ofPreview: boolean; batchShare: number },
): Promise<AnswerSample | null> {
  const picked = ofPreview
    ? sql`
      select first as index, true as live from chunks where batch_key = ${batchKey} and in_preview`
    : sql`
      select distinct r.index, false as live
      from (
        select (select index from results where batch_key = ${batchKey} order by index limit 1) as first,
               (select index from results where batch_key = ${batchKey} order by index desc limit 1) as last
      ) ends
      cross join lateral generate_series(first, last, greatest(1, (last - first + 1) / ${sampleSize}::int)) as at
      cross join lateral (
        select index from results where batch_key = ${batchKey} and index >= at order by index limit 1
      ) r`;
  const [sample] = await sql<(Omit<AnswerSample, 'lastAt'> & { lastAt: Date | null })[]>`
    with picked as materialized (${picked}),
    answers as (
      select r.completed_at, r.requests, r.input_tokens + r.output_tokens as tokens,
             r.requests > coalesce(r.unmetered, 0) and r.cost_usd is null as unpriced,
             -- What had no usage is not known; what was never sent has cost nothing.
             case when r.requests = 0 then 0
                  when p.live or b.execution = 'LIVE' or r.completed_at >= b.rescued_at then r.cost_usd
                  else r.cost_usd / ${batchShare}::float8 end as usd
      from picked p
      join results r on r.batch_key = ${batchKey} and r.index = p.index
      join batches b on b.key = ${batchKey}
      where r.status in ('SUCCEEDED', 'FAILED')
        and (b.twins = 0 or not exists (select from twins t where t.batch_key = b.key and t.index = r.index))
    )
    select count(*)::int as answers, max(completed_at) as "lastAt",
           avg(requests)::float8 as "meanRequests", avg(tokens)::float8 as "meanTokens",
           case when not bool_or(unpriced) then avg(usd) end as "meanUsd",
           case when not bool_or(unpriced) then coalesce(stddev_samp(usd), 0) end as "sdUsd"
    from answers`;
  return sample?.lastAt ? { ...sample, lastAt: sample.lastAt } : null;
}
