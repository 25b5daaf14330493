import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isRunning } from '../../core/is-running.ts';
import type { Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import { ConnectionLost } from '../../db/driver/failure.ts';
import { deleteWorker, insertWorker, listWorkers, renewWorker } from '../../db/workers.ts';
import type { Telling } from '../../telemetry/events.ts';

/** The share of a lease after which it counts as lost here, well before others take it for lost. */
const lostShare = 0.6;
/** A renewal that has waited this share met silence; a later one met a process that slept. */
const silentShare = 0.2;
/** A renewal that failed is tried again after this. */
const retryDelayMs = 200;
/** Leases of this process, which may have several: its process id at others is a dead one's. */
const ownIds = new Set<string>();

/**
 * A process's right to the chunks that it holds: a row in `workers`, renewed every third of
 * `leaseMs`. The lease is lost when the row is gone, or is not renewed in time by the monotonic
 * clock. All work under the lease must be dropped then, and the listeners see to that. The lease
 * takes a new id as soon as the database lets it.
 */
export interface Lease {
  /**
   * The present id; null without a lease. Asked before every call, so that a process that was
   * stopped and continued notices the loss.
   */
  id(): string | null;
  /** Calls back at every loss. Returns how to unsubscribe. */
  onLost(listener: () => void): () => void;
  /** Calls back after every renewal. Returns how to unsubscribe. */
  onRenewed(listener: () => void): () => void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A lease that `start` takes. */
export function createLease({
  db,
  leaseMs,
  concurrency,
  stateOf = () => null,
  log,
  events,
}: {
  db: Database;
  leaseMs: number;
  /** Calls of batches that run at once: told with the heartbeat, like `stateOf`. */
  concurrency?: number;
  /** JSON of how the providers do; null before the first call. */
  stateOf?: () => string | null;
  log: Log;
  events: Telling;
}): Lease {
  const machine = machineName();
  const lostListeners = new Set<() => void>();
  const renewedListeners = new Set<() => void>();
  let current: string | null = null;
  /** The last id that was lost. Its row may still run, and keeps others from its chunks. */
  let lost: string | null = null;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  /** When the renewal that is under way began; null without one. */
  let askedAt: number | null = null;

  async function enter(): Promise<string> {
    if (lost !== null) await leave(lost);
    lost = null;
    const id = `worker_${randomUUID()}`;
    ownIds.add(id);
    await insertWorker(db, {
      id,
      machine,
      pid: process.pid,
      leaseMs,
      concurrency,
      state: stateOf(),
    });
    return id;
  }

  async function leave(id: string): Promise<void> {
    await deleteWorker(db, id);
    ownIds.delete(id);
  }

  function lose(reason: string): void {
    if (current === null) return;
    events.emit('lease.lost', { worker: current, reason });
    lost = current;
    current = null;
    for (const listener of lostListeners) listener();
    if (askedAt !== null && performance.now() - askedAt > leaseMs * silentShare) breakConnections();
  }

  /** A connection that swallows its data would keep its waiters for the longest statement time. */
  function breakConnections(): void {
    void db.disconnect(new ConnectionLost('the database does not answer the renewal of the lease'));
  }

  /** Rejects after the share of a lost lease; the next renewal then takes another connection. */
  async function inTime<T>(work: Promise<T>): Promise<T> {
    const ms = leaseMs * lostShare;
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
        events.emit('lease.taken', { worker: current });
      } else if (!(await inTime(renewWorker(db, id, { leaseMs, state: stateOf() })))) {
        lose('it was not renewed in time');
      } else if (current === id) {
        renewedAt = startedAt;
      }
      // Lost, by the lines above or by a caller who asked for the id meanwhile.
      if (current === null) delayMs = 0;
      else for (const listener of renewedListeners) listener();
    } catch (error) {
      log.warn({ err: error }, 'could not renew the lease');
      delayMs = Math.min(retryDelayMs, delayMs);
      if (performance.now() - renewedAt > leaseMs * lostShare) lose('the database does not answer');
    }
    askedAt = null;
    if (!stopped) {
      timer = setTimeout(() => void beat(), delayMs); // beat never rejects
      timer.unref();
    }
  }

  return {
    onLost: (listener) => listenTo(lostListeners, listener),
    onRenewed: (listener) => listenTo(renewedListeners, listener),
    async start() {
      await buryNeighbours(db, machine, log);
      const startedAt = performance.now();
      current = await enter();
      renewedAt = startedAt;
      events.emit('lease.taken', { worker: current });
      timer = setTimeout(() => void beat(), leaseMs / 3);
      timer.unref();
    },
    async stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      const id = current;
      current = null;
      if (id !== null) await leave(id);
    },
    id() {
      if (current !== null && performance.now() - renewedAt > leaseMs * lostShare) {
        lose('it was not renewed in time');
      }
      return current;
    },
  };
}

function listenTo(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * A process that was killed leaves its lease behind. The next process on the same machine sees that
 * the first has gone, and does not wait for the end of the lease. A process id that was given out
 * again is left to the lease.
 */
async function buryNeighbours(db: Database, machine: string, log: Log): Promise<void> {
  for (const { id, pid } of await listWorkers(db, machine)) {
    if (ownIds.has(id) || (pid !== process.pid && isRunning(pid))) continue;
    log.info({ worker: id }, 'an earlier worker on this machine has died; its items go on at once');
    await deleteWorker(db, id);
  }
}

/**
 * Where process ids mean the same. On Linux a boot and a pid namespace, as containers share host
 * names; elsewhere the host.
 */
function machineName(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}
