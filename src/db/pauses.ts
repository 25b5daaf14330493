/**
 * Batches that send nothing new until somebody, or the time, lets them go on. A pause stands beside
 * the status, which stays QUEUED or PROCESSING; PAUSED is what readers are shown.
 */
import { and, eq, isNotNull, isNull, or, sql } from 'drizzle-orm';
import type { Builder } from './driver/client.ts';
import { batchOf, running, unended } from './guards.ts';
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
  { query }: Builder,
  owner: string,
  id: string,
  maxCostUsd: number | undefined,
): Promise<bigint | null> {
  const [ended] = await query
    .update(batches)
    .set({
      pauseReason: null,
      pauseMessage: null,
      pausedSince: null,
      pauseResumesAt: null,
      // A quote that failed is tried again.
      quote: sql`nullif(${batches.quote}, 'null')`,
      expiresAt: sql`case when ${batches.pauseReason} is null then ${batches.expiresAt}
                          else now() + make_interval(secs => ${batches.expiresInSeconds}) end`,
      ...(maxCostUsd === undefined ? {} : { maxCostUsd }),
    })
    .where(
      and(
        batchOf(owner, id),
        unended,
        maxCostUsd === undefined ? isNotNull(batches.pauseReason) : undefined,
      ),
    )
    .returning({ key: batches.key });
  return ended?.key ?? null;
}
