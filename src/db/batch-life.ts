/** The life of a batch, one statement a step: it starts, waits, and ends. */
import type { BatchErrorCode } from '../core/errors.ts';
import type { Sql } from './driver/client.ts';
import type { FinalStatus } from './tables.ts';
import { insertWebhooks } from './webhooks.ts';

/** Queues a DRAFT. Returns its key, or null for an unknown id. */
export async function startDraft(db: Sql, owner: string, id: string): Promise<bigint | null> {
  const [started] = await db<{ key: bigint }[]>`
    update batches set status = 'QUEUED'
    where id = ${id} and owner = ${owner} and status = 'DRAFT' and ending is null and deleted_at is null
    returning key`;
  return started?.key ?? null;
}

/**
 * Begins the end of an unfinished batch on its owner's wish. Returns its key, or null where there
 * is nothing to cancel: unknown, another owner's, ended, or being ended already.
 */
export async function beginCancel(db: Sql, owner: string, id: string): Promise<bigint | null> {
  const [begun] = await db<{ key: bigint }[]>`
    update batches set status = 'CANCELLING', ending = 'CANCELLED', cancel_initiated_at = now()
    where id = ${id} and owner = ${owner} and status in ('DRAFT', 'QUEUED', 'PROCESSING') and ending is null and deleted_at is null
    returning key`;
  return begun?.key ?? null;
}

/** Begins the end of every batch whose time has run out. Returns their keys. */
export async function beginExpiry(db: Sql): Promise<bigint[]> {
  const begun = await db<{ key: bigint }[]>`
    update batches set ending = 'EXPIRED'
    where status in ('DRAFT', 'QUEUED', 'PROCESSING') and ending is null and expires_at <= now() and deleted_at is null
    returning key`;
  return begun.map(({ key }) => key);
}

/** How a batch ends before all of its items were answered. */
export type Ending = Exclude<FinalStatus, 'SUCCEEDED'>;

/** The batches that are being ended. */
export async function listEnding(db: Sql): Promise<{ key: bigint; ending: Ending }[]> {
  return await db<{ key: bigint; ending: Ending }[]>`
    select key, ending from batches
    where status in ('DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING') and ending is not null and deleted_at is null
    order by key`;
}

/** Notes why a running batch waits. Readers are told; nothing is decided by it. */
export async function noteWaiting(
  db: Sql,
  key: bigint,
  waiting: { reason: string; since: Date; until: Date },
): Promise<void> {
  await db`
    update batches
    set waiting_reason = ${waiting.reason}, waiting_since = ${waiting.since}, waiting_until = ${waiting.until}
    where key = ${key} and status = 'PROCESSING'`;
}

/**
 * Begins the end of a running batch of which no item would succeed. False when it had ended, or is
 * being ended already.
 */
export async function beginFailure(
  db: Sql,
  key: bigint,
  failure: { code: BatchErrorCode; message: string },
): Promise<boolean> {
  const begun = await db`
    update batches set ending = 'FAILED', error = ${failure.message}, error_code = ${failure.code}
    where key = ${key} and status in ('QUEUED', 'PROCESSING') and ending is null`;
  return begun.count === 1;
}

/**
 * Ends a batch that is failing once no worker holds items of it, so that nothing is recorded after
 * its end. Its unfinished items stay PENDING. False where it is not failing, or not yet at its end.
 */
export async function endFailure(db: Sql, key: bigint): Promise<boolean> {
  const ended = await db`
    with ended as (
      update batches b set status = 'FAILED', ending = null, completed_at = now()
      where key = ${key} and status in ('QUEUED', 'PROCESSING') and ending = 'FAILED'
        and not exists (select from chunks where batch_key = b.key and state = 'leased')
      returning b.*
    ),
    announced as (${insertWebhooks(db, db`ended`)})
    select key from ended`;
  return ended.count === 1;
}
