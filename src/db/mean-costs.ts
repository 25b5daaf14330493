/** The mean cost of an item of a batch, and items that would have cost nothing. */
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

/**
 * Twins that saved nothing: nothing was sent for the item whose answer they took, because its text
 * is blank, say. A batch without one is left out.
 */
export async function countFreeTwins(
  sql: Sql,
  batchKeys: readonly bigint[],
): Promise<{ batchKey: bigint; items: number }[]> {
  return await sql<{ batchKey: bigint; items: number }[]>`
    select r.batch_key as "batchKey", count(*)::int as items
    from unnest(${batchKeys.map(String)}::text[]::bigint[]) as given
    join results r on r.batch_key = given and r.status <> 'SUCCEEDED'
    join twins t on t.batch_key = r.batch_key and t.index = r.index
    join results l on l.batch_key = t.batch_key and l.index = t.leader and l.requests = 0
    group by r.batch_key`;
}
