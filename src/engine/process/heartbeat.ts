import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isRunning } from '../../core/is-running.ts';
import type { Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import { ConnectionLost } from '../../db/driver/failure.ts';
import { deleteWorker, insertWorker, listWorkers, renewWorker } from '../../db/workers.ts';

/** A worker that has not renewed its lease for this share of it fences itself, well before others take it for dead. */
const fenceShare = 0.6;
/** A renewal that has waited so long when the worker fences itself has met silence, and not a process that slept. */
const silentShare = 0.2;
/** A renewal that failed is tried again this soon. */
const retryDelayMs = 200;

/**
 * A worker's lease: a row in `workers` that is renewed every third of `leaseMs`. When the row is gone, or cannot be
 * renewed in time by the monotonic clock, the worker is dead to the others, and `onFenced` makes it so: it must drop
 * everything it holds. A new id is taken as soon as the database lets it.
 */
export interface Heartbeat {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The present id, or null while there is none. Checked before every call: a process that was stopped and continued has to notice. */
  id(): string | null;
}

export function createHeartbeat({
  db,
  leaseMs,
  onFenced,
  onBeat,
  log,
}: {
  db: Database;
  leaseMs: number;
  onFenced: () => void;
  /** After every renewal. */
  onBeat: () => void;
  log: Log;
}): Heartbeat {
  const machine = machineName();
  let current: string | null = null;
  /** The last id that was lost. Its row may still run, and keeps others from its chunks. */
  let lost: string | null = null;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  /** When the renewal that is under way was begun; null: none is. */
  let askedAt: number | null = null;

  async function enter(): Promise<string> {
    if (lost !== null) await deleteWorker(db.sql, lost);
    lost = null;
    const id = `worker_${randomUUID()}`;
    await insertWorker(db.sql, { id, machine, pid: process.pid, leaseMs });
    return id;
  }

  function fence(reason: string): void {
    if (current === null) return;
    log.warn({ worker: current }, `this worker lost its lease (${reason}); it drops what it holds`);
    lost = current;
    current = null;
    onFenced();
    if (askedAt !== null && performance.now() - askedAt > leaseMs * silentShare) breakConnections();
  }

  /** One that swallows what it is sent would keep what waits for its answer as long as the longest statement may take. */
  function breakConnections(): void {
    void db.disconnect(new ConnectionLost('the database does not answer the heartbeat'));
  }

  /** Rejects after its share of the lease; the next beat then takes another connection. */
  async function inTime<T>(work: Promise<T>): Promise<T> {
    const ms = leaseMs * fenceShare;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer within ${Math.round(ms)} ms`));
        breakConnections();
      }, ms);
    });
    return await Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  async function beat(): Promise<void> {
    let delayMs = leaseMs / 3;
    const startedAt = performance.now();
    askedAt = startedAt;
    try {
      const id = current;
      if (id === null) {
        current = await inTime(enter());
        renewedAt = startedAt;
      } else if (!(await inTime(renewWorker(db.sql, id, leaseMs)))) {
        fence('it was not renewed in time');
      } else if (current === id) {
        renewedAt = startedAt;
      }
      // Fenced, by the lines above or by somebody who asked for the id meanwhile.
      if (current === null) delayMs = 0;
      else onBeat();
    } catch (error) {
      log.warn({ err: error }, 'could not renew the lease');
      delayMs = Math.min(retryDelayMs, delayMs);
      if (performance.now() - renewedAt > leaseMs * fenceShare)
        fence('the database does not answer');
    }
    askedAt = null;
    if (!stopped) {
      timer = setTimeout(() => void beat(), delayMs); // beat never rejects
      timer.unref();
    }
  }

  return {
    async start() {
      await buryNeighbours(db, machine, log);
      const startedAt = performance.now();
      current = await enter();
      renewedAt = startedAt;
      timer = setTimeout(() => void beat(), leaseMs / 3);
      timer.unref();
    },
    async stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      const id = current;
      current = null;
      if (id !== null) await deleteWorker(db.sql, id);
    },
    id() {
      if (current !== null && performance.now() - renewedAt > leaseMs * fenceShare) {
        fence('it was not renewed in time');
      }
      return current;
    },
  };
}

/**
 * A process that was killed leaves its lease behind. Whoever starts next on the same machine can see that the process
 * has gone, and need not wait for the lease to run out. A process id that was given out again is left to the lease.
 */
async function buryNeighbours(db: Database, machine: string, log: Log): Promise<void> {
  for (const { id, pid } of await listWorkers(db.sql, machine)) {
    if (pid !== process.pid && isRunning(pid)) continue;
    log.info({ worker: id }, 'an earlier worker on this machine has died; its items go on at once');
    await deleteWorker(db.sql, id);
  }
}

/** Where process ids mean the same: on Linux a boot and a pid namespace (containers share host names), elsewhere the host. */
function machineName(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
