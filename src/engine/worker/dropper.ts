/**
 * Lets go of batches that a worker holds: because all of it is recorded (settle), because the batch is being ended or the
 * worker is (drop), or because the lease is lost (forget).
 */

import type { Log } from '../../core/log.ts';
import { readStopped } from '../../db/batches.ts';
import { releaseChunks } from '../../db/chunks.ts';
import type { Sql } from '../../db/driver/client.ts';
import { callsEnded, type HeldBatch, type Holdings, isDone } from './held-batch.ts';

export interface Dropper {
  /** Lets go of a batch of which nothing is left in hand. */
  settle(batch: HeldBatch): void;
  /**
   * Stops work on a batch: aborts its calls, records answers that are in, and gives the rest back. Never rejects; called
   * again it waits for the same end.
   */
  drop(batch: HeldBatch): Promise<void>;
  /** Drops what is being ended, has ended, or is gone. Never rejects. */
  dropStopped(): Promise<void>;
  /** Nothing of this batch is ours any more, and what was not recorded yet is asked again by others, if at all. */
  forget(batch: HeldBatch): void;
}

export function createDropper({
  sql,
  held,
  onDropped,
  log,
}: {
  sql: Sql;
  held: Holdings;
  onDropped: (batchKey: bigint) => Promise<void>;
  log: Log;
}): Dropper {
  const drops = new WeakMap<HeldBatch, Promise<void>>();
  let looking = false;

  function letGo(batch: HeldBatch): void {
    if (held.get(batch.key) === batch) held.delete(batch.key);
  }

  async function dropNow(batch: HeldBatch): Promise<void> {
    if (batch.abort.signal.aborted) return; // forgotten
    batch.lost += batch.ready.filter(({ answered }) => answered).length;
    batch.ready.length = 0;
    batch.abort.abort(new Error('the batch was stopped'));
    await callsEnded(batch);
    await batch.recorder.drain();
    try {
      const { worker, key: batchKey, lost: resent } = batch;
      await releaseChunks(sql, { worker, batchKey, resent });
    } catch (error) {
      log.warn({ err: error, batch: batch.id }, 'could not release a batch; the heartbeat will');
    }
    letGo(batch);
    await onDropped(batch.key);
  }

  function drop(batch: HeldBatch): Promise<void> {
    const dropping = drops.get(batch) ?? dropNow(batch);
    drops.set(batch, dropping);
    return dropping;
  }

  return {
    settle(batch) {
      if (isDone(batch) && !batch.abort.signal.aborted) letGo(batch);
    },
    drop,
    async dropStopped() {
      if (held.size === 0 || looking) return;
      looking = true;
      try {
        for (const key of await readStopped(sql, [...held.keys()])) {
          const batch = held.get(key);
          if (batch) void drop(batch); // never rejects
        }
      } catch (error) {
        log.warn({ err: error }, 'could not look for stopped batches');
      } finally {
        looking = false;
      }
    },
    forget(batch) {
      letGo(batch);
      batch.recorder.abandon();
      batch.ready.length = 0;
      batch.abort.abort(new Error('the worker lost its lease'));
    },
  };
}
