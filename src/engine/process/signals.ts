import type { Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import {
  type BatchSignal,
  type DeletedBatch,
  listenToBatches,
  notifyBatch,
  notifyDeleted,
} from '../../db/driver/notifications.ts';

/** A hint about a batch; null after a reconnection, when hints may have been lost and everybody looks for themselves. */
type SignalListener = (hint: { batchKey: bigint; signal: BatchSignal } | null) => void;

/** One process' ear and mouth: a single LISTEN connection, fanned out to whoever in the process wants to know. */
export interface Signals {
  start(): Promise<void>;
  stop(): Promise<void>;
  subscribe(listener: SignalListener): () => void;
  /** Never rejects: a lost hint is found by polling. */
  send(batchKey: bigint, signal: BatchSignal): Promise<void>;
  /** Batches that are deleted while this process listens; nothing is said of those in between. */
  subscribeDeleted(listener: (batch: DeletedBatch) => void): () => void;
  /** Never rejects. */
  sendDeleted(batch: DeletedBatch): Promise<void>;
}

export function createSignals({ db, log }: { db: Database; log: Log }): Signals {
  const listeners = new Set<SignalListener>();
  const deletionListeners = new Set<(batch: DeletedBatch) => void>();
  let unlisten: (() => Promise<void>) | null = null;

  return {
    async start() {
      unlisten = await listenToBatches(db.sql, {
        onSignal(batchKey, signal) {
          for (const listener of listeners) listener({ batchKey, signal });
        },
        onDeleted(batch) {
          for (const listener of deletionListeners) listener(batch);
        },
        onConnect() {
          for (const listener of listeners) listener(null);
        },
      });
    },

    async stop() {
      await unlisten?.().catch(() => undefined); // the database may be gone already
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    async send(batchKey, signal) {
      try {
        await notifyBatch(db.sql, batchKey, signal);
      } catch (error) {
        log.warn({ err: error, signal }, 'could not notify; others will find out by polling');
      }
    },

    subscribeDeleted(listener) {
      deletionListeners.add(listener);
      return () => deletionListeners.delete(listener);
    },

    async sendDeleted(batch) {
      try {
        await notifyDeleted(db.sql, batch);
      } catch (error) {
        log.warn({ err: error, batch: batch.id }, 'could not tell of a deleted batch');
      }
    },
  };
}
