/**
 * Pushes the state of batches to their watchers, in this process. A nudge says that a batch
 * changed. Its state is then read once for all watchers, at most ten times a second, and each gets
 * the latest.
 */

import type { Log } from '../../core/log.ts';
import {
  type BatchFilter,
  type BatchRecord,
  listMoving,
  readBatchByKey,
} from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import type { DeletedBatch } from '../../db/driver/notifications.ts';
import { isFinal } from '../../db/final-status.ts';
import type { Nudges } from '../process/nudges.ts';
import { type Channel, createChannel } from './channel.ts';
import { createOwnerWatches, stateOf } from './owner-watches.ts';
import {
  batchDeleted,
  type ResultsPage,
  type ResultsPosition,
  watchResults,
} from './results-watch.ts';

const minReadIntervalMs = 100;
/** The backstop: a watched batch is read this often even if no signal came. */
const pollMs = 1_000;

export interface Progress {
  start(): void;
  /** Tells nothing any more. No watch ends: a reader takes an end for the end of its batch. */
  stop(): void;
  /** The batch as given, then each change up to the final state. Throws NOT_FOUND once deleted. */
  watchBatch(batch: BatchRecord): AsyncIterableIterator<BatchRecord>;
  /** The batches of `readFirst`, then every changed batch of an owner that matches. Never ends. */
  watchOwner(
    owner: string,
    filter: BatchFilter,
    readFirst?: () => Promise<readonly BatchRecord[]>,
  ): AsyncIterableIterator<BatchRecord>;
  /** The batches of one owner that are deleted. Never ends by itself. */
  watchDeleted(owner: string): AsyncIterableIterator<DeletedBatch>;
  /** Succeeded and failed items after a position, in pages as recorded, up to the batch's end. */
  watchResults(batch: BatchRecord, after: ResultsPosition): AsyncIterableIterator<ResultsPage>;
}

interface Watched {
  watchers: Set<(batch: BatchRecord | null) => void>;
  reading: boolean;
  again: boolean;
}

export function createProgress({
  db,
  dbOf,
  nudges,
  log,
}: {
  /** For the states of batches, which are read for all who watch. */
  db: Database;
  /** For the results of an owner's batches, which each reader reads for himself. */
  dbOf: (owner: string) => Database;
  nudges: Nudges;
  log: Log;
}): Progress {
  const watched = new Map<bigint, Watched>();
  const owners = createOwnerWatches();
  const deletions = new Map<string, Set<Channel<DeletedBatch>>>();
  let unsubscribe = () => undefined as unknown;
  let unsubscribeDeleted = () => undefined as unknown;
  let poll: NodeJS.Timeout | null = null;
  let tellingOwners = false;

  function changed(key: bigint): void {
    let entry = watched.get(key);
    if (!entry) {
      if (owners.isEmpty()) return;
      entry = { watchers: new Set(), reading: false, again: false };
      watched.set(key, entry);
    }
    if (entry.reading) entry.again = true;
    else void read(key, entry); // never rejects
  }

  async function read(key: bigint, entry: Watched): Promise<void> {
    entry.reading = true;
    try {
      const batch = await readBatchByKey(db, key);
      for (const watcher of entry.watchers) watcher(batch);
      if (batch) owners.tell(batch);
    } catch (error) {
      log.warn({ err: error }, 'could not read the state of a batch; trying again');
    }
    setTimeout(() => {
      entry.reading = false;
      if (entry.again) {
        entry.again = false;
        changed(key);
      } else if (entry.watchers.size === 0) {
        watched.delete(key);
      }
    }, minReadIntervalMs).unref();
  }

  function lookAtAll(): void {
    for (const key of watched.keys()) changed(key);
    if (nudges.isDeaf) void tellOwners();
  }

  /** Where no hint comes: what moves of the batches of all who watch their owner's. */
  async function tellOwners(): Promise<void> {
    if (owners.isEmpty() || tellingOwners) return;
    tellingOwners = true;
    try {
      for (const batch of await listMoving(db, owners.names())) owners.tell(batch);
    } catch (error) {
      log.warn({ err: error }, 'could not look for changed batches; trying again');
    }
    tellingOwners = false;
  }

  function watch(key: bigint, watcher: (batch: BatchRecord | null) => void): () => void {
    const entry = watched.get(key) ?? { watchers: new Set(), reading: false, again: false };
    watched.set(key, entry);
    entry.watchers.add(watcher);
    return () => {
      entry.watchers.delete(watcher);
      if (entry.watchers.size === 0 && !entry.reading) watched.delete(key);
    };
  }

  return {
    start() {
      unsubscribe = nudges.subscribe(
        (hint) => {
          if (hint) changed(hint.batchKey);
          else lookAtAll();
        },
        { polls: true },
      );
      unsubscribeDeleted = nudges.subscribeDeleted((batch) => {
        for (const channel of deletions.get(batch.owner) ?? []) channel.push(batch.id, batch);
      });
      poll = setInterval(() => {
        for (const [key, { watchers }] of watched) if (watchers.size > 0) changed(key);
      }, pollMs);
      poll.unref();
    },

    stop() {
      unsubscribe();
      unsubscribeDeleted();
      if (poll) clearInterval(poll);
    },

    watchBatch(batch) {
      let newest = batch.readAt;
      let shown = '';
      const unwatch = watch(batch.key, (next) => {
        if (!next) channel.fail(batchDeleted());
        else if (next.readAt >= newest) {
          newest = next.readAt;
          show(next);
        }
      });
      const channel = createChannel<BatchRecord>(unwatch);
      const show = (next: BatchRecord) => {
        const state = stateOf(next);
        if (state !== shown) channel.push(next.key, next);
        shown = state;
        if (isFinal(next.status)) channel.end();
      };
      show(batch);
      // What changed between the caller's read and the watch is read again.
      changed(batch.key);
      return channel;
    },

    watchOwner: owners.watch,

    watchDeleted(owner) {
      const channels = deletions.get(owner) ?? new Set();
      deletions.set(owner, channels);
      const channel = createChannel<DeletedBatch>(() => {
        channels.delete(channel);
        if (channels.size === 0) deletions.delete(owner);
      });
      channels.add(channel);
      return channel;
    },

    watchResults(batch, after) {
      const own = dbOf(batch.owner);
      return watchResults({ db: own, log }, { batch, states: this.watchBatch(batch), after });
    },
  };
}
