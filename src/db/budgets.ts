/**
 * Limits on the cost of a batch: how much is left, and claims within that.
 *
 * What is under way is reckoned by the mean cost of an item, and computed from the chunks each
 * time: nothing is set aside that a dead worker could leave behind.
 */
import type postgres from 'postgres';
import { meanOf, unanswered } from './batch-mean.ts';
import type { ClaimedChunk } from './chunks.ts';
import { claimSize } from './claim-size.ts';
import type { Sql } from './driver/client.ts';
import { countDone, isAsked, isRunning, twinsOfPiece } from './guards.ts';
import {
  areLimited,
  itemsLeft,
  leastUsd,
  limitOf,
  maxItems,
  type OwnerLimits,
  type OwnerStanding,
  ownerLimit,
  ownerMoney,
} from './owner-limits.ts';
import { fatalCrashes } from './reclaims.ts';
import { enterGate, gateSeen } from './reservations.ts';

/** The standing of a batch at one instant. Sums in USD. */
export interface Standing {
  /** Its limit; null without one. */
  maxCostUsd: number | null;
  /** The cost of its answers, and of requests of which nobody knows. */
  spentUsd: number;
  /** Mean cost of an item; null while neither a quote nor answers tell it. */
  meanUsd: number | null;
  /** Items that are under way, or in the hands of those who will send them. */
  heldItems: number;
  /** Items that may be sent beside those. */
  allowedItems: number;
  /** True where its items were counted; `failed`: they cannot be. */
  quote: 'absent' | 'failed' | 'made';
}

/**
 * The money of a batch, a row `b` of `batches` with `limit_usd`: columns that are the names of
 * `Standing` in snake case, and `limit_usd`.
 */
function standingOf(sql: Sql): postgres.Fragment {
  return sql`
    select m.mean_usd, s.spent_usd, h.held_items, b.limit_usd, case when b.quote is null then 'absent' when b.quote = 'null' then 'failed' else 'made' end as quote,
           case when m.mean_usd is null then 0
                when m.mean_usd = 0 then case when s.spent_usd <= b.limit_usd then ${maxItems}::float8 else 0 end
                else least(${maxItems}::float8, greatest(0,
                  floor((b.limit_usd - s.spent_usd) / greatest(m.mean_usd, ${leastUsd}) - h.held_items + 1e-9))) end::int as allowed_items,
           -- A job cannot be stopped by what its first answers cost. One item alone is as at any time.
           greatest((h.held_items = 0)::int, least(${maxItems}::float8,
             floor((b.limit_usd - s.spent_usd) / greatest(m.guessed_usd, ${leastUsd}) - h.held_items + 1e-9)))::int as guessed_items
    from (${meanOf(sql)}) m
    cross join lateral (
      select coalesce(b.cost_usd, 0)
             + (b.unmetered_requests + b.resent_requests) * coalesce(m.mean_usd, 0) as spent_usd
    ) s
    cross join lateral (
      select coalesce(sum(${sql.unsafe(unanswered)}), 0)::float8 as held_items
      from chunks c where c.batch_key = b.key and c.state = 'leased'
    ) h`;
}

function standingColumns(sql: Sql) {
  return sql`
    s.limit_usd as "maxCostUsd", s.spent_usd as "spentUsd", s.mean_usd as "meanUsd",
    s.held_items as "heldItems", s.allowed_items as "allowedItems", s.quote`;
}

/**
 * The standing of a batch under its limit, or under another one. Null without a limit, and for a
 * batch that has gone.
 */
export async function readStanding(
  sql: Sql,
  batchKey: bigint,
  limitUsd: number | null = null,
): Promise<Standing | null> {
  const [standing] = await sql<Standing[]>`
    select ${standingColumns(sql)}
    from (select *, coalesce(${limitUsd}::float8, max_cost_usd) as limit_usd from batches where key = ${batchKey}) b
    cross join lateral (${standingOf(sql)}) s
    where b.limit_usd is not null`;
  return standing ?? null;
}

/** The outcome of a claim within limits. Without chunks, and with `isFresh`, nothing is left. */
export interface BoundedClaim {
  chunks: ClaimedChunk[];
  standing: Standing;
  /** Null where the owner has no limit. */
  owner: (OwnerStanding & { allowedItems: number }) | null;
  /** False: another statement went before, and the next try may find something. */
  isFresh: boolean;
}

/**
 * Claims up to `limit` open chunks of a batch that has a limit, or whose owner has one, and no more
 * items than may be sent; the last chunk is cut where the allowance ends. Null where the batch does
 * not run, or is paused.
 *
 * The batch's row is locked, and the owner's gate, so that two claims do not both take the last
 * cent. All else that a statement sees is older than its locks: a claim that had to wait for
 * another one, or for a flush, takes nothing and is tried again. Each claim changes what it locks,
 * and so is seen.
 */
export async function claimWithin(
  sql: Sql,
  claim: {
    batchKey: bigint;
    owner: string;
    worker: string;
    limit: number;
    limits: OwnerLimits;
  },
): Promise<BoundedClaim | null> {
  const { batchKey, owner, worker, limit } = claim;
  const limitUsd = limitOf(claim.limits, owner);
  const isOwned = limitUsd !== null;
  const left = itemsLeft(sql, {
    limit: sql`${limitUsd}::float8`,
    mean: sql`s.mean_usd`,
    held: sql`s.held_items`,
  });
  const isOpen = sql`
    batch_key = ${batchKey} and state = 'open' and crashes < ${fatalCrashes}
    and (select items from allowance) > 0`;
  const rows = await sql<(Standing & ClaimedChunk & OwnerColumns & { isFresh: boolean })[]>`
    with seen as materialized (
      select xmin::text as version ${isOwned ? sql`, ${gateSeen(sql, sql`${owner}`)} as reckoned` : sql``}
      from batches where key = ${batchKey}
    ),
    batch as materialized (
      select b.*, b.max_cost_usd as limit_usd, b.xmin::text as version from batches b
      where b.key = ${batchKey} and ${isRunning(sql)} and b.pause_reason is null
      for update
    ),
    ${isOwned ? sql`gate as (${enterGate(sql, sql`batch`)}),` : sql``}
    standing as materialized (
      select s.*, b.version = seen.version
                  ${isOwned ? sql`and seen.reckoned + 1 = (select reckoned from gate)` : sql``} as is_fresh,
             ${isOwned ? sql`o.spent_usd as owner_spent, o.held_usd as owner_held, o.month, ${left}::int as owner_items` : sql`${maxItems}::int as owner_items`}
      from batch b cross join seen cross join lateral (${standingOf(sql)}) s
      ${isOwned ? sql`cross join (${ownerMoney(sql, sql`${owner}`)}) o` : sql``}
    ),
    allowance as materialized (
      select case when is_fresh then
               least(owner_items, case when limit_usd is null then ${maxItems} else allowed_items end)
             else 0 end as items
      from standing
    ),
    open as materialized (
      select batch_key, first, last, done, twins, crashes, rounds, left_to_rescue from chunks
      where ${isOpen}
      order by crashes, first
      limit ${claimSize(sql, { chunks: limit, open: isOpen, previewItems: sql`(select preview_items from batch)` })}
      for update skip locked
    ),
    counted as (
      select *, (select items from allowance)
                - (sum(last - first + 1 - done - twins) over (order by crashes, first)
                   - (last - first + 1 - done - twins)) as room
      from open
    ),
    picked as materialized (
      select *, case when last - first + 1 - done - twins <= room then last else (
               select item from generate_series(first, last) as item
               where not exists (select from results r where r.batch_key = ${batchKey} and r.index = item)
                 and ${isAsked(sql, sql`counted`, sql`item`)}
               order by item offset room::int - 1 limit 1) end as taken_to
      from counted where room > 0
    ),
    -- What is left of the chunk that is cut.
    rest as (
      select batch_key, first as chunk, taken_to + 1 as first, last, twins, crashes, rounds, left_to_rescue
      from picked where taken_to < last
    ),
    cut as materialized (
      select batch_key, chunk, first, last, crashes, rounds, left_to_rescue,
             ${countDone(sql, sql`p`)} as done, ${twinsOfPiece(sql, sql`p`)} as twins
      from rest p
    ),
    added as (
      insert into chunks (batch_key, first, last, done, twins, sent_to, state, crashes, rounds, left_to_rescue)
      select batch_key, first, last, done, twins, first - 1,
             case when done + twins = last - first + 1 then 'done' else 'open' end::chunk_state,
             crashes, rounds, left_to_rescue
      from cut
    ),
    taken as (
      update chunks c
      set state = 'leased', owner = ${worker}, sent_to = c.first - 1, repeats = 0, last = p.taken_to,
          done = c.done - coalesce(cut.done, 0), twins = c.twins - coalesce(cut.twins, 0)
      from picked p left join cut on cut.chunk = p.first
      where c.batch_key = ${batchKey} and c.first = p.first
      returning c.batch_key, c.first, c.last, c.done, c.sent_to, c.crashes, c.twins
    ),
    started as (
      update batches b set status = 'PROCESSING', started_at = coalesce(b.started_at, now())
      from batch where b.key = batch.key and exists (select from picked)
      returning batch.status = 'QUEUED' as begun
    )
    select ${standingColumns(sql)}, s.is_fresh as "isFresh",
           ${isOwned ? sql`s.owner_spent as "ownerSpent", s.owner_held as "ownerHeld", s.month,` : sql``}
           s.owner_items as "ownerItems",
           taken.batch_key as "batchKey", batch.owner as "batchOwner", taken.first, taken.last, taken.done,
           taken.sent_to as "sentTo", taken.crashes, taken.twins, coalesce((select begun from started), false) as begun
    from standing s cross join batch left join taken on true`;
  const [standing] = rows;
  if (!standing) return null;
  const { ownerSpent: spentUsd, ownerHeld: heldUsd, month, ownerItems: allowedItems } = standing;
  return {
    chunks: rows.filter(({ batchKey: key }) => key !== null),
    standing,
    owner: limitUsd === null ? null : { limitUsd, spentUsd, heldUsd, month, allowedItems },
    isFresh: standing.isFresh,
  };
}

interface OwnerColumns {
  ownerSpent: number;
  ownerHeld: number;
  month: string;
  ownerItems: number;
}

/**
 * Pauses a running batch whose limit is used up: with chunks in nobody's hands, and none under way.
 * `maxCostUsd` is the limit that was found used up. False where it is another by now.
 */
export async function pauseForBudget(
  sql: Sql,
  batchKey: bigint,
  pause: { maxCostUsd: number | null; message: string; whileHeld?: boolean },
): Promise<boolean> {
  const { maxCostUsd, message, whileHeld = false } = pause;
  const paused = await sql`
    update batches b set pause_reason = 'BUDGET', pause_message = ${message}, paused_since = now()
    where key = ${batchKey} and ${isRunning(sql)} and pause_reason is null and max_cost_usd = ${maxCostUsd}
      and (${whileHeld} or not exists (select from chunks c where c.batch_key = b.key and c.state = 'leased'))`;
  return paused.count === 1;
}

/**
 * Number of items of a batch `b` that a provider job may take; null without a limit. `owner` is a
 * column with its owner, of a row `w`: the rows of this file hide others.
 */
export function allowedItems(
  sql: Sql,
  limits: OwnerLimits,
  owner: postgres.Fragment,
): postgres.Fragment {
  const own = sql`
    case when b.max_cost_usd is not null then (
      select least(s.allowed_items, s.guessed_items)
      from (select b.*, b.max_cost_usd as limit_usd) b cross join lateral (${standingOf(sql)}) s) end`;
  if (!areLimited(limits)) return sql`(${own})`;
  const left = itemsLeft(sql, {
    limit: sql`l.limit_usd`,
    mean: sql`m.mean_usd`,
    held: sql`0`,
  });
  return sql`least((${own}), (
    select ${left}::int
    from (select ${ownerLimit(sql, limits, owner)} as limit_usd) l
    cross join lateral (${ownerMoney(sql, owner)}) o cross join lateral (${meanOf(sql)}) m
    where l.limit_usd is not null))`;
}

/** Parts of a statement that makes a job of one batch, the row of `next`. */
export function jobGate(sql: Sql, limits: OwnerLimits) {
  if (!areLimited(limits)) return { seen: sql``, entered: sql``, isFresh: sql`true` };
  return {
    /** A column of `next`. */
    seen: sql`, ${gateSeen(sql, sql`b.owner`)} as reckoned`,
    /** Behind `next`. */
    entered: sql`gate as (${enterGate(sql, sql`next`)}),`,
    isFresh: sql`(select gate.reckoned = next.reckoned + 1 from gate, next)`,
  };
}

/**
 * Running batches for the batch API that could make a job, if limits left something, and of which
 * nothing is under way.
 */
export async function listUsedUp(
  sql: Sql,
  limits: OwnerLimits,
): Promise<{ key: bigint; owner: string; standing: Standing }[]> {
  const found = await sql<(Standing & { key: bigint; owner: string })[]>`
    select b.key, b.owner, ${standingColumns(sql)}
    from batches b cross join lateral (select b.owner as whose) w
    cross join lateral (
      select own.* from (select b.*, b.max_cost_usd as limit_usd) b cross join lateral (${standingOf(sql)}) own
    ) s
    where b.execution = 'PROVIDER_BATCH' and b.rescued_at is null
      and ${isRunning(sql)} and b.pause_reason is null
      and s.held_items = 0
      and exists (select from chunks c where c.batch_key = b.key and c.state = 'open')
      and (b.max_cost_usd is not null or ${ownerLimit(sql, limits, sql`b.owner`)} is not null)
      and ${allowedItems(sql, limits, sql`w.whose`)} = 0
    order by b.key
    limit 100`;
  return found.map(({ key, owner, ...standing }) => ({ key, owner, standing }));
}
