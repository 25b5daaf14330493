/** The cost of an item of a batch, as far as is known. */
import type postgres from 'postgres';
import type { Sql } from './driver/client.ts';
import { isInPreview } from './guards.ts';

/** Answers from which on their own mean counts beside the quoted one. */
export const minAnswers = 20;

/** Items of a chunk `c` that are to be asked and have no answer. */
export const unanswered = 'c.last - c.first + 1 - c.done - c.twins';

/**
 * `mean_usd` of an item of a batch `b`: the dearer one of what was quoted, for the way in which it
 * is asked now, and of what its answers cost. Null while nothing tells it; 0 where its model has no
 * known price, or its answers have none. `guessed_usd`: the upper end of what is guessed for an
 * item of a job, while no answers tell more; else null.
 */
export function meanOf(sql: Sql): postgres.Fragment {
  return sql`
    select greatest(
      (b.quote::json #>> array[
        case when b.execution = 'LIVE' or b.rescued_at is not null or ${isInPreview(sql)} then 'liveUsd' else 'providerBatchUsd' end,
        'expected'])::float8 / greatest(1, b.total - b.twins),
      case when json_typeof(b.quote::json -> 'liveUsd') = 'null' then 0 end,
      case when n.answers >= ${minAnswers} then coalesce(b.cost_usd, 0) / n.answers *
        -- The answers of a preview were called live, and the rest is not.
        case when b.execution = 'PROVIDER_BATCH' and b.rescued_at is null
                  and b.preview_resumed_at is not null and n.answers <= b.preview_items
             then 0.5 else 1 end end) as mean_usd,
      case when n.answers < ${minAnswers} and b.quote::json ->> 'outputBasis' = 'GUESSED'
           then (b.quote::json #>> '{providerBatchUsd,high}')::float8 / greatest(1, b.total - b.twins) end as guessed_usd
    from (
      -- Answers that a retry, or a pause, put aside have cost something too.
      select b.succeeded + b.failed - b.twins_recorded
             + (select count(*) from superseded_results o where o.batch_key = b.key) as answers
    ) n`;
}
