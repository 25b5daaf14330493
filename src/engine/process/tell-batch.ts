import type { Log } from '../../core/log.ts';
import { type BatchRecord, readBatchByKey } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import { isFinal } from '../../db/final-status.ts';
import type { BatchStatus } from '../../db/tables.ts';

export type BatchEvent = 'batch submitted' | 'batch started' | 'batch ended';

/**
 * Writes a line of the log at a turn of a batch's life, for the operator: whose batch it is,
 * what it does, and what it came to so far. No name, option or text of it. Never rejects; the line
 * is lost where the database is.
 */
export async function tellBatch(
  { db, log }: { db: Database; log?: Log | undefined },
  key: bigint,
  event: BatchEvent,
): Promise<void> {
  if (!log) return;
  try {
    const batch = await readBatchByKey(db, key);
    if (batch) log.info(fieldsOf(batch), event);
  } catch (error) {
    log.debug({ err: error, event }, 'could not tell of a batch');
  }
}

/**
 * Whether what was written has ended its batch: of all writes, the one that changed something and
 * left it in a final state.
 */
export function hasEnded(written: { recorded: number; status: BatchStatus } | null): boolean {
  return written !== null && written.recorded > 0 && isFinal(written.status);
}

function fieldsOf(batch: BatchRecord) {
  const { id, owner, operation, model, execution, status } = batch;
  const { total, succeeded, failed, cancelled, expired, requests } = batch;
  const { inputTokens, outputTokens, costUsd, errorCode } = batch;
  const { createdAt, startedAt, completedAt, readAt } = batch;
  const at = completedAt ?? readAt;
  return {
    batch: id,
    owner,
    operation,
    model,
    execution,
    status,
    total,
    succeeded,
    failed,
    cancelled,
    expired,
    requests,
    inputTokens,
    outputTokens,
    costUsd,
    /** Since it was submitted, and since it was started. */
    seconds: secondsBetween(createdAt, at),
    runSeconds: startedAt && secondsBetween(startedAt, at),
    ...(errorCode === null ? {} : { errorCode }),
  };
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1_000);
}
