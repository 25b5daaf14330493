/**
 * Batches that send nothing new until somebody, or the time, lets them go on. A pause stands beside
 * the status, which stays QUEUED or PROCESSING; PAUSED is what readers are shown.
 */
import { and, eq, isNull, or, sql } from 'drizzle-orm';
import type { Builder, Sql } from './driver/client.ts';
import { batchOf, isUnended, running } from './guards.ts';
import { type BatchStatus, batches } from './tables.ts';

/** Why a batch is paused. */
const pauseReasons = ['BUDGET', 'OWNER_BUDGET', 'PREVIEW', 'REQUESTED'] as const;
export type PauseReason = (typeof pauseReasons)[number];

/** A status as readers are shown it. */
export type ShownStatus = BatchStatus | 'PAUSED';

const isPaused = sql`(
  ${batches.pauseReason} is not null and ${batches.ending} is null and ${batches.status} in ('QUEUED', 'PROCESSING'))`;

export const shownStatus = sql<ShownStatus>`(
  case when ${isPaused} then 'PAUSED' else ${batches.status}::text end)`;

/** Null unless the batch is shown as PAUSED. */
export const shownPauseReason = sql<PauseReason | null>`(
  case when ${isPaused} then ${batches.pauseReason} end)`;

/**
 * Sets, of a batch `b` that goes on, what its pace is counted from: the time since `since`, at
 * which it stopped, is none of it. Null: it had not stopped.
 */
export function withoutIdle(tag: Sql, since: ReturnType<Sql>) {
  return tag`
    idle_seconds = b.idle_seconds
      + case when ${since} is null or b.started_at is null then 0
             else extract(epoch from now() - greatest(${since}, b.started_at)) end,
    rate_at = b.rate_at
      + case when ${since} is null then interval '0' else now() - greatest(${since}, b.rate_at) end`;
}

/**
 * Pauses a running batch on its owner's wish. A pause that waits for somebody stays what it is; one
 * that would end by itself becomes this one. Returns its key, or null where nothing changed.
 */
export async function beginPause(
  { query }: Builder,
  owner: string,
  id: string,
): Promise<bigint | null> {
  const [begun] = await query
    .update(batches)
    .set({
      pauseReason: 'REQUESTED',
      pauseMessage: 'pauseBatch was called; resumeBatch lets the batch go on',
      pausedSince: sql`coalesce(${batches.pausedSince}, now())`,
      pauseResumesAt: null,
    })
    .where(
      and(
        batchOf(owner, id),
        running,
        or(isNull(batches.pauseReason), eq(batches.pauseReason, 'OWNER_BUDGET')),
      ),
    )
    .returning({ key: batches.key });
  return begun?.key ?? null;
}

/**
 * Lets a paused batch go on, with its time renewed, and sets the limit of one that has not ended,
 * paused or not, where one is given. Returns its key, or null where nothing changed.
 */
export async function endPause(
  sql: Sql,
  owner: string,
  id: string,
  maxCostUsd: number | undefined,
): Promise<bigint | null> {
  const [ended] = await sql<{ key: bigint }[]>`
    update batches b
    set pause_reason = null, pause_message = null, paused_since = null, pause_resumes_at = null,
        ${withoutIdle(sql, sql`case when b.pause_reason is not null then b.paused_since end`)},
        quote = nullif(b.quote, 'null'), -- one that failed is tried again
        expires_at = case when b.pause_reason is null then b.expires_at
                          else now() + make_interval(secs => b.expires_in_seconds) end
        ${maxCostUsd === undefined ? sql`` : sql`, max_cost_usd = ${maxCostUsd}`}
    where id = ${id} and owner = ${owner} and ${isUnended(sql)}
      ${maxCostUsd === undefined ? sql`and b.pause_reason is not null` : sql``}
    returning key`;
  return ended?.key ?? null;
}
