import { type Cause, causeFields, type Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import {
  type BatchNudge,
  type DeletedBatch,
  listenToBatches,
  notifyBatch,
  notifyDeleted,
  notifyKey,
  type RenamedOwner,
} from '../../db/driver/notifications.ts';

/** A hint about a batch; null after a reconnection, when hints may have been lost. */
type NudgeListener = (hint: { batchKey: bigint; nudge: BatchNudge } | null) => void;

/** One process' ear and mouth: a LISTEN connection, fanned out to all its listeners. */
export interface Nudges {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** With `polls`, what looks 4 times a second where nobody can be heard: null each time. */
  subscribe(listener: NudgeListener, options?: { polls: boolean }): () => void;
  /** No other process is heard. */
  readonly isDeaf: boolean;
  /** Never rejects: a lost hint is found by polling. `cause`: the request, if one was. */
  send(batchKey: bigint, nudge: BatchNudge, cause?: Cause): Promise<void>;
  /** Batches that are deleted while this process listens; nothing is said of those in between. */
  subscribeDeleted(listener: (batch: DeletedBatch) => void): () => void;
  /** Never rejects. */
  sendDeleted(batch: DeletedBatch, cause?: Cause): Promise<void>;
  /** A key was made or revoked, or that may have been missed. */
  subscribeKeys(listener: () => void): () => void;
  /** Never rejects: processes that miss it look again within seconds. */
  sendKey(id: string, cause?: Cause): Promise<void>;
  /** Owners that are erased while this process listens; nothing is said of those in between. */
  subscribeErased(listener: (owner: RenamedOwner) => void): () => void;
}

/** Behind the hints of other processes where these cannot be heard. */
const pollMs = 250;

export function createNudges({
  db,
  listenDb = db,
  log,
}: {
  db: Database;
  /** Where sessions are kept; null: nobody is heard, and hints go round in this process alone. */
  listenDb?: Database | null;
  log: Log;
}): Nudges {
  const pollers = new Set<NudgeListener>();
  let poll: NodeJS.Timeout | null = null;
  const listeners = new Set<NudgeListener>();
  const deletionListeners = new Set<(batch: DeletedBatch) => void>();
  const keyListeners = new Set<() => void>();
  const erasureListeners = new Set<(owner: RenamedOwner) => void>();
  let unlisten: (() => Promise<void>) | null = null;

  return {
    isDeaf: listenDb === null,

    async start() {
      if (listenDb === null) {
        poll = setInterval(() => {
          for (const listener of pollers) listener(null);
        }, pollMs);
        poll.unref();
        return;
      }
      unlisten = await listenToBatches(listenDb.sql, {
        onNudge(batchKey, nudge) {
          for (const listener of listeners) listener({ batchKey, nudge });
        },
        onDeleted(batch) {
          for (const listener of deletionListeners) listener(batch);
        },
        onKey() {
          for (const listener of keyListeners) listener();
        },
        onErased(owner) {
          for (const listener of erasureListeners) listener(owner);
        },
        onConnect() {
          for (const listener of listeners) listener(null);
          for (const listener of keyListeners) listener();
        },
      });
    },

    async stop() {
      if (poll) clearInterval(poll);
      await unlisten?.().catch(() => undefined); // the database may be gone already
    },

    subscribe(listener, { polls } = { polls: false }) {
      listeners.add(listener);
      if (polls) pollers.add(listener);
      return () => {
        listeners.delete(listener);
        pollers.delete(listener);
      };
    },

    async send(batchKey, nudge, cause) {
      if (listenDb === null) {
        for (const listener of listeners) listener({ batchKey, nudge });
        return;
      }
      try {
        await notifyBatch(db.sql, batchKey, nudge);
      } catch (error) {
        const line = { err: error, nudge, ...causeFields(cause) };
        log.warn(line, 'could not notify; others will find out by polling');
      }
    },

    subscribeDeleted(listener) {
      deletionListeners.add(listener);
      return () => deletionListeners.delete(listener);
    },

    async sendDeleted(batch, cause) {
      if (listenDb === null) {
        for (const listener of deletionListeners) listener(batch);
        return;
      }
      try {
        await notifyDeleted(db.sql, batch);
      } catch (error) {
        const line = { err: error, batchId: batch.id, ...causeFields(cause) };
        log.warn(line, 'could not tell of a deleted batch');
      }
    },

    subscribeKeys(listener) {
      keyListeners.add(listener);
      return () => keyListeners.delete(listener);
    },

    async sendKey(id, cause) {
      try {
        await notifyKey(db.sql, id);
      } catch (error) {
        log.warn({ err: error, key: id, ...causeFields(cause) }, 'could not tell of a key');
      }
    },

    subscribeErased(listener) {
      erasureListeners.add(listener);
      return () => erasureListeners.delete(listener);
    },
  };
}
