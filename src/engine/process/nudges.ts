import type { Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import {
  type BatchNudge,
  type DeletedBatch,
  listenToBatches,
  notifyBatch,
  notifyDeleted,
  notifyKey,
} from '../../db/driver/notifications.ts';

/** A hint about a batch; null after a reconnection, when hints may have been lost. */
type NudgeListener = (hint: { batchKey: bigint; nudge: BatchNudge } | null) => void;

/** One process' ear and mouth: a LISTEN connection, fanned out to all its listeners. */
export interface Nudges {
  start(): Promise<void>;
  stop(): Promise<void>;
  subscribe(listener: NudgeListener): () => void;
  /** Never rejects: a lost hint is found by polling. */
  send(batchKey: bigint, nudge: BatchNudge): Promise<void>;
  /** Batches that are deleted while this process listens; nothing is said of those in between. */
  subscribeDeleted(listener: (batch: DeletedBatch) => void): () => void;
  /** Never rejects. */
  sendDeleted(batch: DeletedBatch): Promise<void>;
  /** A key was made or revoked, or that may have been missed. */
  subscribeKeys(listener: () => void): () => void;
  /** Never rejects: processes that miss it look again within seconds. */
  sendKey(id: string): Promise<void>;
}

export function createNudges({ db, log }: { db: Database; log: Log }): Nudges {
  const listeners = new Set<NudgeListener>();
  const deletionListeners = new Set<(batch: DeletedBatch) => void>();
  const keyListeners = new Set<() => void>();
  let unlisten: (() => Promise<void>) | null = null;

  return {
    async start() {
      unlisten = await listenToBatches(db.sql, {
        onNudge(batchKey, nudge) {
          for (const listener of listeners) listener({ batchKey, nudge });
        },
        onDeleted(batch) {
          for (const listener of deletionListeners) listener(batch);
        },
        onKey() {
          for (const listener of keyListeners) listener();
        },
        onConnect() {
          for (const listener of listeners) listener(null);
          for (const listener of keyListeners) listener();
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

    async send(batchKey, nudge) {
      try {
        await notifyBatch(db.sql, batchKey, nudge);
      } catch (error) {
        log.warn({ err: error, nudge }, 'could not notify; others will find out by polling');
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

    subscribeKeys(listener) {
      keyListeners.add(listener);
      return () => keyListeners.delete(listener);
    },

    async sendKey(id) {
      try {
        await notifyKey(db.sql, id);
      } catch (error) {
        log.warn({ err: error, key: id }, 'could not tell of a key');
      }
    },
  };
}
