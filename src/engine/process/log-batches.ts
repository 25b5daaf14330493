import type { Log } from '../../core/log.ts';
import { type BatchRecord, readBatchByKey } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Events } from '../../telemetry/events.ts';

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
  async function tell(key: bigint, line: string, also: object): Promise<void> {
    try {
      const batch = await readBatchByKey(db, key);
      if (batch) log.info({ ...fieldsOf(batch), ...also }, line);
    } catch (error) {
      log.debug({ err: error, event: line }, 'could not tell of a batch');
    }
  }

  const write = (
    line: string,
    { batchKey, ...also }: { batchKey: bigint; [field: string]: unknown },
  ) => {
    const read = tell(batchKey, line, also).finally(() => reads.delete(read));
    reads.add(read);
  };

  events.on('batch.submitted', ({ batchKey, requestId }) =>
    write('batch submitted', { batchKey, requestId }),
  );
  events.on('batch.started', ({ batchKey }) => write('batch started', { batchKey }));
  events.on('batch.waits', (fact) => write('batch waits', fact));
  events.on('batch.goes_on', (fact) => write('batch goes on', fact));
  events.on('batch.paused', (fact) => write('batch paused', fact));
  events.on('batch.ended', ({ batchKey }) => write('batch ended', { batchKey }));
  events.on('chunk.reclaimed', (fact) => write('batch reclaimed', fact));
  return {
    async written() {
      await Promise.all(reads);
    },
  };
}

function fieldsOf(batch: BatchRecord) {
  const { id, owner, operation, model, execution, status } = batch;
  const { total, succeeded, failed, cancelled, expired, requests, resentRequests } = batch;
  const { inputTokens, outputTokens, costUsd, errorCode } = batch;
  const { createdAt, startedAt, completedAt, readAt } = batch;
  const at = completedAt ?? readAt;
  return {
    batchId: id,
    owner,
    operation,
    model,
    lane: execution === 'PROVIDER_BATCH' ? 'provider_batch' : 'live',
    status,
    items: total,
    counts: { succeeded, failed, cancelled, expired },
    requests,
    resentRequests,
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
