/** What an item of a batch costs on average. */
import type { Sql } from './driver/client.ts';

/** The mean is of so many answers: to read all of a large batch would take seconds. */
const maxAnswers = 10_000;

/**
 * The mean cost in USD of the items that have one, whatever became of them. A batch without a known
 * cost is left out.
 */
export async function listMeanCosts(
  sql: Sql,
  batchKeys: readonly bigint[],
): Promise<{ batchKey: bigint; costUsd: number }[]> {
  return await sql<{ batchKey: bigint; costUsd: number }[]>`
    select given as "batchKey", m.cost as "costUsd"
    from unnest(${batchKeys.map(String)}::text[]::bigint[]) as given
    cross join lateral (
      select sum(cost_usd) / count(distinct index) as cost from (
        (select index, cost_usd from results
         where batch_key = given and cost_usd is not null limit ${maxAnswers})
        union all
        (select index, cost_usd from superseded_results
         where batch_key = given and cost_usd is not null limit ${maxAnswers})
      ) answers
    ) m
    where m.cost is not null`;
}
