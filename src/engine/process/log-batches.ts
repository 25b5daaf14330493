import { type Cause, causeFields, type Log } from '../../core/log.ts';
import { type BatchRecord, readBatchByKey } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Events } from '../../telemetry/events.ts';
import { modelFields } from '../../telemetry/log-events.ts';
import type { Tracing } from '../../telemetry/tracing.ts';

/**
 * Writes a line of the log at each turn of a batch's life, for the operator: whose batch it is,
 * what it does, and what it came to so far. No name, option or text of it. A line is lost where the
 * database is. Ends the batch's span by the same reading. Nothing is read for a line that LOG_LEVEL
 * leaves out. Returns how to wait for the lines that are being written.
 */
export function logBatches(
  events: Pick<Events, 'on'>,
  { db, log, isLogged, tracing }: BatchLines,
): { written(): Promise<void> } {
  const reads = new Set<Promise<void>>();

  /** Never rejects. */
  async function tell(key: bigint, line: string, also: object): Promise<void> {
    try {
      const batch = await readBatchByKey(db, key);
      if (!batch) return;
      const traced = tracing === null ? {} : { trace: tracing.ofBatch(batch) };
      log.info({ ...fieldsOf(batch), ...traced, ...also }, line);
      if (line === ended && tracing) endSpan(batch, tracing);
    } catch (error) {
      log.debug({ err: error, event: line }, 'could not tell of a batch');
    }
  }

  const write = (
    line: string,
    { batchKey, cause, ...also }: { batchKey: bigint; cause?: Cause },
  ) => {
    const read = tell(batchKey, line, { ...also, ...causeFields(cause) }).finally(() =>
      reads.delete(read),
    );
    reads.add(read);
  };

  const written = async () => {
    await Promise.all(reads);
  };
  events.on('batch.ended', ({ batchKey, cause }) => {
    if (isLogged || tracing !== null) write(ended, { batchKey, ...(cause ? { cause } : {}) });
  });
  if (!isLogged) return { written };
  events.on('batch.submitted', ({ batch: _, retainSeconds: __, ...fact }) =>
    write('batch submitted', fact),
  );
  events.on('batch.started', ({ batchKey }) => write('batch started', { batchKey }));
  events.on('batch.waits', (fact) => write('batch waits', fact));
  events.on('batch.goes_on', (fact) => write('batch goes on', fact));
  events.on('batch.paused', (fact) => write('batch paused', fact));
  events.on('chunk.reclaimed', (fact) => write('batch reclaimed', fact));
  return { written };
}

interface BatchLines {
  db: Database;
  log: Pick<Log, 'debug' | 'info'>;
  /** True where lines of this level are written at all. */
  isLogged: boolean;
  /** Null where traces are off. */
  tracing: Pick<Tracing, 'ofBatch' | 'endBatch'> | null;
}

const ended = 'batch ended';

/** A batch that was retried meanwhile ends again. */
function endSpan(batch: BatchRecord, { endBatch }: Pick<Tracing, 'endBatch'>): void {
  const { completedAt, total: items, status } = batch;
  if (completedAt === null) return;
  endBatch({ ...batch, completedAt, items, status, lane: laneOf(batch) });
}

function fieldsOf(batch: BatchRecord) {
  const { id, owner, operation, model, status } = batch;
  const { total, succeeded, failed, cancelled, expired, requests, resentRequests } = batch;
  const { inputTokens, outputTokens, costUsd, errorCode } = batch;
  const { createdAt, startedAt, completedAt, readAt } = batch;
  const at = completedAt ?? readAt;
  return {
    batchId: id,
    owner,
    operation,
    ...modelFields(model),
    lane: laneOf(batch),
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

function laneOf({ execution }: Pick<BatchRecord, 'execution'>): 'live' | 'provider_batch' {
  return execution === 'PROVIDER_BATCH' ? 'provider_batch' : 'live';
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1_000);
}
