/**
 * Pushes the state of batches to whoever watches them, in this process. A signal says that a batch changed; its state is
 * then read once for all watchers, at most ten times a second, and each gets the latest.
 */
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BatchFile,
  type BatchFilter,
  type BatchRecord,
  matchesFilter,
  readBatchByKey,
  readBatchFile,
} from '../db/batches.ts';
import type { Database } from '../db/client.ts';
import { type ItemRecord, readResultsAfter } from '../db/items.ts';
import type { Log } from '../log.ts';
import { type Channel, createChannel } from './channel.ts';
import type { Signals } from './signals.ts';

const minReadIntervalMs = 100;
/** The backstop: a watched batch is read this often even if no signal came. */
const pollMs = 1_000;
/** Items in one event of batchResults. */
const resultsPageSize = 500;
/** A database that comes back within this time breaks no subscription. */
const patienceMs = 60_000;
const retryDelayMs = 500;

const finalStatuses = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED']);

export interface Progress {
  start(): void;
  stop(): void;
  /** The batch as given, then every change, the final state last; ends there, or when the batch has gone. */
  watchBatch(batch: BatchRecord): AsyncIterableIterator<BatchRecord>;
  /** Every batch of one owner that changes and matches. Never ends by itself. */
  watchOwner(owner: string, filter: BatchFilter): AsyncIterableIterator<BatchRecord>;
  /** Succeeded and failed items after a position, in pages as they are recorded; ends after the last one of a batch that has ended. */
  watchResults(batch: BatchRecord, after: ResultsPosition): AsyncIterableIterator<ResultsPage>;
}

export interface ResultsPosition {
  seq: number;
  index: number;
}

export interface ResultsPage {
  batch: BatchRecord;
  items: ItemRecord[];
  /** What the rows of the items are read by. */
  file: BatchFile;
  end: ResultsPosition;
}

interface Watched {
  watchers: Set<(batch: BatchRecord | null) => void>;
  reading: boolean;
  again: boolean;
  seen: string;
}

export function createProgress({
  db,
  signals,
  log,
}: {
  db: Database;
  signals: Signals;
  log: Log;
}): Progress {
  const watched = new Map<bigint, Watched>();
  const owners = new Map<string, Set<{ channel: Channel<BatchRecord>; filter: BatchFilter }>>();
  let unsubscribe = () => undefined as unknown;
  let poll: NodeJS.Timeout | null = null;

  function changed(key: bigint): void {
    let entry = watched.get(key);
    if (!entry) {
      if (owners.size === 0) return;
      entry = { watchers: new Set(), reading: false, again: false, seen: '' };
      watched.set(key, entry);
    }
    if (entry.reading) entry.again = true;
    else void read(key, entry); // never rejects
  }

  async function read(key: bigint, entry: Watched): Promise<void> {
    entry.reading = true;
    try {
      const batch = await readBatchByKey(db, key);
      const state = batch
        ? `${batch.status} ${batch.seq} ${batch.processing} ${batch.resentRequests} ${batch.providerState ?? ''}`
        : 'gone';
      if (state !== entry.seen) {
        entry.seen = state;
        for (const watcher of entry.watchers) watcher(batch);
        if (batch) {
          for (const { channel, filter } of owners.get(batch.owner) ?? []) {
            if (matchesFilter(batch, filter)) channel.push(key, batch);
          }
        }
      }
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

  /** Reads, and tries again for a while when the database is away. */
  async function insist<T>(read: () => Promise<T>): Promise<T> {
    for (const until = performance.now() + patienceMs; ; ) {
      try {
        return await read();
      } catch (error) {
        if (performance.now() > until) throw error;
        log.warn({ err: error }, 'could not read results; trying again');
        await delay(retryDelayMs, undefined, { ref: false });
      }
    }
  }

  function watch(key: bigint, watcher: (batch: BatchRecord | null) => void): () => void {
    const entry = watched.get(key) ?? {
      watchers: new Set(),
      reading: false,
      again: false,
      seen: '',
    };
    watched.set(key, entry);
    entry.watchers.add(watcher);
    return () => {
      entry.watchers.delete(watcher);
      if (entry.watchers.size === 0 && !entry.reading) watched.delete(key);
    };
  }

  return {
    start() {
      unsubscribe = signals.subscribe((hint) => {
        if (hint) changed(hint.batchKey);
        else for (const key of watched.keys()) changed(key);
      });
      poll = setInterval(() => {
        for (const [key, { watchers }] of watched) if (watchers.size > 0) changed(key);
      }, pollMs);
      poll.unref();
    },

    stop() {
      unsubscribe();
      if (poll) clearInterval(poll);
      for (const watchers of owners.values()) for (const { channel } of watchers) channel.end();
      for (const { watchers } of watched.values()) for (const watcher of watchers) watcher(null);
    },

    watchBatch(batch) {
      let newest = batch.readAt;
      const unwatch = watch(batch.key, (next) => {
        if (!next) channel.end();
        else if (next.readAt >= newest) {
          newest = next.readAt;
          show(next);
        }
      });
      const channel = createChannel<BatchRecord>(unwatch);
      const show = (state: BatchRecord) => {
        channel.push(state.key, state);
        if (finalStatuses.has(state.status)) channel.end();
      };
      show(batch);
      // What changed between the caller's read and the watch is read again, and told even if the others know it already.
      const entry = watched.get(batch.key);
      if (entry) entry.seen = '';
      changed(batch.key);
      return channel;
    },

    watchOwner(owner, filter) {
      const watchers = owners.get(owner) ?? new Set();
      owners.set(owner, watchers);
      const channel = createChannel<BatchRecord>(() => {
        watchers.delete(watcher);
        if (watchers.size === 0) owners.delete(owner);
      });
      const watcher = { channel, filter };
      watchers.add(watcher);
      return channel;
    },

    watchResults(batch, after) {
      const { key, fileKey } = batch;
      const states = this.watchBatch(batch);
      let position = after;
      let state = batch;
      let closed = false;
      let file: BatchFile | null = null;

      const readPage = () =>
        readResultsAfter(db.sql, { batchKey: key, fileKey }, position, resultsPageSize);

      return {
        async next() {
          for (;;) {
            if (closed) return { done: true, value: undefined };
            // The state is older than the read: if it is final, what the read finds is all there is.
            const ended = finalStatuses.has(state.status);
            // Both before the position moves: a page that was read and could not be shown would be missed.
            file ??= await insist(() => readBatchFile(db, fileKey));
            const items = await insist(readPage);
            const last = items.at(-1);
            if (last) {
              position = { seq: last.seq, index: last.index };
              return { done: false, value: { batch: state, items, file, end: position } };
            }
            if (ended) return this.return();
            const next = await states.next();
            if (next.done) closed ||= !finalStatuses.has(state.status);
            else state = next.value;
          }
        },
        async return() {
          closed = true;
          await states.return?.();
          return { done: true, value: undefined };
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      } as AsyncIterableIterator<ResultsPage> & { return(): Promise<IteratorResult<ResultsPage>> };
    },
  };
}
