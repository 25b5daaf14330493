import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import { apiIdPrefix, countProcesses, deleteWorker, keepApiProcess } from '../../db/workers.ts';

/**
 * A process that works takes so many times the part of one that only serves: synchronous calls are
 * few, and a part that is set aside for them is not used by batches.
 */
const workerWeight = 4;

/**
 * Divides the providers' limits among the processes that live. Each counts the others every third
 * of the lease, so that a process that starts or dies is noticed by all within that and a lease;
 * until then they take a little too much, or leave something.
 */
export interface Shares {
  /** The id of the process that only serves; null of one that works, which has a lease. */
  readonly id: string | null;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createShares({
  db,
  works,
  leaseMs,
  share,
  stateOf = () => null,
  log,
}: {
  db: Database;
  /** True where this process has a worker, whose heartbeat counts it; else it is entered here. */
  works: boolean;
  leaseMs: number;
  /** Takes this process's part of every limit, above 0 to 1. */
  share: (fraction: number) => void;
  /** JSON of how the providers do; null before the first call. Entered where the process is. */
  stateOf?: () => string | null;
  log: Log;
}): Shares {
  const id = `${apiIdPrefix}${randomUUID()}`;
  let timer: NodeJS.Timeout | null = null;
  let counting: Promise<void> = Promise.resolve();

  async function count(): Promise<void> {
    try {
      if (!works) {
        await keepApiProcess(db, {
          id,
          machine: hostname(),
          pid: process.pid,
          leaseMs,
          state: stateOf(),
        });
      }
      share(fractionOf(works, await countProcesses(db)));
    } catch (error) {
      // What was last known stays in force.
      log.warn({ err: error }, 'could not count the processes that share the limits');
    }
  }

  return {
    id: works ? null : id,
    async start() {
      await count();
      timer = setInterval(() => {
        counting = count(); // never rejects
      }, leaseMs / 3);
      timer.unref();
    },
    async stop() {
      if (timer) clearInterval(timer);
      await counting;
      if (!works) await deleteWorker(db, id);
    },
  };
}

/** The part of a process that works or only serves. It counts itself, even without a row. */
export function fractionOf(works: boolean, live: { workers: number; apis: number }): number {
  const workers = Math.max(live.workers, works ? 1 : 0);
  const apis = Math.max(live.apis, works ? 0 : 1);
  return (works ? workerWeight : 1) / (workerWeight * workers + apis);
}
