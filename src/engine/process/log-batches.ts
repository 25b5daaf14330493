import type { Log } from '../../core/log.ts';
import { type BatchRecord, readBatchByKey } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Events } from '../../telemetry/events.ts';

type BatchLine = 'batch submitted' | 'batch started' | 'batch ended';

/**
 * Writes a line of the log at each turn of a batch's life, for the operator: whose batch it is,
 * what it does, and what it came to so far. No name, option or text of it. A line is lost where the
 * database is. Returns how to wait for the lines that are being written.
 */
export function logBatches(
  events: Pick<Events, 'on'>,
  { db, log }: { db: Database; log: Pick<Log, 'debug' | 'info'> },
): { written(): Promise<void> } {
  const reads = new Set<Promise<void>>();

  /** Never rejects. */
  async function tell(key: bigint, line: BatchLine): Promise<void> {
    try {
      const batch = await readBatchByKey(db, key);
      if (batch) log.info(fieldsOf(batch), line);
    } catch (error) {
      log.debug({ err: error, event: line }, 'could not tell of a batch');
    }
  }

  function listen(name: 'batch.submitted' | 'batch.started' | 'batch.ended', line: BatchLine) {
    events.on(name, ({ batchKey }) => {
      const read = tell(batchKey, line).finally(() => reads.delete(read));
      reads.add(read);
    });
  }

  listen('batch.submitted', 'batch submitted');
  listen('batch.started', 'batch started');
  listen('batch.ended', 'batch ended');
  return {
    async written() {
      await Promise.all(reads);
    },
  };
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
