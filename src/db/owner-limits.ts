/**
 * Owners' limits of spending in a month, and how much is left.
 *
 * What is under way is reckoned, as for the limit of a batch: items in the hands of workers and of
 * provider jobs by the mean of their batch, and what calls outside of batches have reserved.
 */
import type postgres from 'postgres';
import { meanOf, minAnswers, unanswered } from './batch-mean.ts';
import type { Sql } from './driver/client.ts';
import { isRunning } from './guards.ts';
import { withoutIdle } from './pauses.ts';

/** USD a month. */
export interface OwnerLimits {
  owners: ReadonlyMap<string, number>;
  /** Limit of every other owner; null without a limit. */
  others: number | null;
}

/** Sums in USD of one owner, of the present month in UTC. */
export interface OwnerStanding {
  limitUsd: number;
  spentUsd: number;
  /** Expected cost of what is under way. */
  heldUsd: number;
  /** As 2026-11. */
  month: string;
}

/** USD: what is divided by less overflows. */
export const leastUsd = 1e-15;

/** More items than any batch has. */
export const maxItems = 2_147_483_647;

/** True where any owner has a limit. */
export function areLimited({ owners, others }: OwnerLimits): boolean {
  return owners.size > 0 || others !== null;
}

/** USD that the owner may spend in a month; null without a limit. */
export function limitOf({ owners, others }: OwnerLimits, owner: string): number | null {
  return owners.get(owner) ?? others;
}

/** The same for an owner that a statement finds. */
export function ownerLimit(
  sql: Sql,
  limits: OwnerLimits,
  owner: postgres.Fragment,
): postgres.Fragment {
  if (!areLimited(limits)) return sql`null::float8`;
  const own = JSON.stringify([...limits.owners].map(([name, usd]) => ({ name, usd })));
  return sql`coalesce(
    (select l.usd from json_to_recordset(${own}::text::json) as l(name text, usd float8) where l.name = ${owner}),
    ${limits.others}::float8)`;
}

/** `spent_usd`, `held_usd` and `month` of the owner. */
export function ownerMoney(sql: Sql, owner: postgres.Fragment): postgres.Fragment {
  const month = sql`to_char(now() at time zone 'utc', 'YYYY-MM')`;
  return sql`
    select ${month} as month, (
      -- Requests without a usage cost what the others of their row did.
      select coalesce(sum(s.cost_usd * (1 + s.unmetered / greatest(1, s.requests - s.unmetered)::float8)), 0)
      from spending s where s.owner = ${owner} and s.month = ${month}
    ) as spent_usd, (
      select coalesce(sum(l.items * coalesce(m.mean_usd, 0)), 0)
      from (
        select c.batch_key, sum(${sql.unsafe(unanswered)}) as items
        from chunks c where c.state = 'leased' group by c.batch_key
      ) l
      join batches b on b.key = l.batch_key and b.owner = ${owner}
      cross join lateral (${meanOf(sql)}) m
    ) + (
      select coalesce(sum(r.held_usd), 0)
      from reservations r where r.owner = ${owner} and r.process <> '' and r.expires_at > now()
    ) as held_usd`;
}

/**
 * Items that may be sent beside what is held, by the columns `limit`, of a row `o` of `ownerMoney`,
 * and `mean`, where `held` items of the batch are under way. Without a mean the first answers are
 * to tell one.
 */
export function itemsLeft(
  sql: Sql,
  { limit, mean, held }: Record<'limit' | 'mean' | 'held', postgres.Fragment>,
): postgres.Fragment {
  const left = sql`(${limit} - o.spent_usd - o.held_usd)`;
  return sql`(case
    when ${limit} is null or ${mean} = 0 then ${maxItems}::float8
    when ${mean} is null then case when ${left} > 0 then greatest(0, ${minAnswers}::float8 - ${held}) else 0 end
    else least(${maxItems}::float8, greatest(0, floor(${left} / greatest(${mean}, ${leastUsd}) + 1e-9))) end)`;
}

/** The standing of an owner; null without a limit. */
export async function readOwnerStanding(
  sql: Sql,
  limits: OwnerLimits,
  owner: string,
): Promise<OwnerStanding | null> {
  const limitUsd = limitOf(limits, owner);
  if (limitUsd === null) return null;
  const [money] = await sql<Omit<OwnerStanding, 'limitUsd'>[]>`
    select m.spent_usd as "spentUsd", m.held_usd as "heldUsd", m.month
    from (${ownerMoney(sql, sql`${owner}::text`)}) m`;
  return money ? { limitUsd, ...money } : null;
}

/**
 * Pauses a running batch whose owner has nothing left for its next item, until the next month.
 * False where it runs no more, or is paused.
 */
export async function pauseForOwner(sql: Sql, batchKey: bigint, message: string): Promise<boolean> {
  const paused = await sql`
    update batches b
    set pause_reason = 'OWNER_BUDGET', pause_message = ${message}, paused_since = now(),
        pause_resumes_at = (date_trunc('month', now() at time zone 'utc') + interval '1 month') at time zone 'utc'
    where key = ${batchKey} and ${isRunning(sql)} and pause_reason is null`;
  return paused.count === 1;
}

/**
 * Lets batches go on, with their time renewed, whose owners have room for an item again: in a new
 * month, under a higher limit, or as calls cost less than was expected. Returns their keys.
 */
export async function endOwnerPauses(sql: Sql, limits: OwnerLimits): Promise<bigint[]> {
  const ended = await sql<{ key: bigint }[]>`
    with paused as materialized (
      select b.* from batches b where ${isRunning(sql)} and b.pause_reason = 'OWNER_BUDGET'
    ),
    money as materialized (
      select p.owner, ${ownerLimit(sql, limits, sql`p.owner`)} as limit_usd, o.*
      from (select distinct owner from paused) p cross join lateral (${ownerMoney(sql, sql`p.owner`)}) o
    )
    update batches c
    set pause_reason = null, pause_message = null, paused_since = null, pause_resumes_at = null,
        ${withoutIdle(sql, sql`b.paused_since`)},
        expires_at = now() + make_interval(secs => c.expires_in_seconds)
    from paused b join money o on o.owner = b.owner cross join lateral (${meanOf(sql)}) m
    where c.key = b.key and c.pause_reason = 'OWNER_BUDGET'
      and ${itemsLeft(sql, { limit: sql`o.limit_usd`, mean: sql`m.mean_usd`, held: sql`0` })} > 0
    returning c.key`;
  return ended.map(({ key }) => key);
}
