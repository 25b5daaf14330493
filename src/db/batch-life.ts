/** The life of a batch, one statement a step: it starts, waits, and ends. */
import { and, eq, isNotNull, isNull, lte, sql } from 'drizzle-orm';
import type { BatchErrorCode } from '../core/errors.ts';
import type { Builder, Sql } from './driver/client.ts';

import { batchOf, isUnended, notFinal, running, unended } from './guards.ts';
import type { EndedBatch } from './results.ts';
import { batches, type FinalStatus } from './tables.ts';
import { isTaken, type Taking, takenFirst } from './takings.ts';
import { insertWebhooks } from './webhooks.ts';

/** Queues a DRAFT. Returns its key, or null for an unknown id. */
export async function startDraft(
  { query }: Builder,
  owner: string,
  id: string,
): Promise<bigint | null> {
  const [started] = await query
    .update(batches)
    .set({ status: 'QUEUED' })
    .where(and(batchOf(owner, id), eq(batches.status, 'DRAFT'), unended))
    .returning({ key: batches.key });
  return started?.key ?? null;
}

/** The same where its taking fits. `isTaken` false: it does not, and the batch stays a DRAFT. */
export async function startDraftWithin(
  sql: Sql,
  { owner, id }: { owner: string; id: string },
  taking: Taking | null,
): Promise<{ result: bigint | null; isTaken: boolean }> {
  const [started] = await sql<{ result: bigint | null; isTaken: boolean }[]>`
    with ${takenFirst(sql, taking)}
    started as (
      update batches b set status = 'QUEUED'
      where id = ${id} and owner = ${owner} and status = 'DRAFT' and ${isUnended(sql)}
        and ${isTaken(sql, taking)}
      returning key
    )
    select (select key from started) as result, ${isTaken(sql, taking)} as "isTaken"`;
  return started ?? { result: null, isTaken: false };
}

/**
 * Begins the end of an unfinished batch on its owner's wish. Returns its key, or null where there
 * is nothing to cancel: unknown, another owner's, ended, or being ended already.
 */
export async function beginCancel(
  { query }: Builder,
  owner: string,
  id: string,
): Promise<bigint | null> {
  const [begun] = await query
    .update(batches)
    .set({ status: 'CANCELLING', ending: 'CANCELLED', cancelInitiatedAt: sql`now()` })
    .where(and(batchOf(owner, id), unended))
    .returning({ key: batches.key });
  return begun?.key ?? null;
}

/**
 * Begins the end of every batch whose time has run out, except those that are paused. Returns their
 * keys.
 */
export async function beginExpiry({ query }: Builder): Promise<bigint[]> {
  const begun = await query
    .update(batches)
    .set({ ending: 'EXPIRED' })
    .where(and(unended, isNull(batches.pauseReason), lte(batches.expiresAt, sql`now()`)))
    .returning({ key: batches.key });
  return begun.map(({ key }) => key);
}

/** The ends of a batch before all of its items were answered. */
export type Ending = Exclude<FinalStatus, 'SUCCEEDED'>;

/** The batches that are being ended. */
export async function listEnding({ query }: Builder): Promise<{ key: bigint; ending: Ending }[]> {
  return await query
    .select({ key: batches.key, ending: sql<Ending>`${batches.ending}` })
    .from(batches)
    .where(and(notFinal, isNotNull(batches.ending), isNull(batches.deletedAt)))
    .orderBy(batches.key);
}

/** Notes why a running batch waits. Readers are told; nothing is decided by it. */
export async function noteWaiting(
  { query }: Builder,
  key: bigint,
  waiting: { reason: string; since: Date; until: Date },
): Promise<void> {
  await query
    .update(batches)
    .set({
      waitingReason: waiting.reason,
      waitingSince: waiting.since,
      waitingUntil: waiting.until,
    })
    .where(and(eq(batches.key, key), eq(batches.status, 'PROCESSING')));
}

/**
 * Begins the end of a running batch of which no item would succeed. False when it had ended, or is
 * being ended already.
 */
export async function beginFailure(
  { query }: Builder,
  key: bigint,
  failure: { code: BatchErrorCode; message: string },
): Promise<boolean> {
  const begun = await query
    .update(batches)
    .set({ ending: 'FAILED', error: failure.message, errorCode: failure.code })
    .where(and(eq(batches.key, key), running))
    .returning({ key: batches.key });
  return begun.length === 1;
}

/**
 * Ends a batch that is failing once no worker holds items of it, so that nothing is recorded after
 * its end. Its unfinished items stay PENDING. Null where it is not failing, or not yet at its end.
 */
export async function endFailure(sql: Sql, key: bigint): Promise<EndedBatch | null> {
  const [ended] = await sql<EndedBatch[]>`
    with ended as (
      update batches b set status = 'FAILED', ending = null, completed_at = now()
      where key = ${key} and status in ('QUEUED', 'PROCESSING') and ending = 'FAILED'
        and not exists (select from chunks where batch_key = b.key and state = 'leased')
      returning b.*
    ),
    announced as (${insertWebhooks(sql, sql`ended`)})
    select status, operation, execution, extract(epoch from completed_at - created_at)::float8 as seconds
    from ended`;
  return ended ?? null;
}
