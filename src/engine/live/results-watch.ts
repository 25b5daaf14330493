/** The results of a batch as they are recorded, page by page. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import {
  type BatchFile,
  type BatchRecord,
  readBatchByKey,
  readBatchFile,
} from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import { databaseFailureCode } from '../../db/driver/failure.ts';
import { isFinal } from '../../db/final-status.ts';
import { type ItemRecord, readResultsAfter } from '../../db/items.ts';

/** Items in one event of batchResults. */
export const pageSize = 500;
/** Most bytes of rows and answers in one event; one item may have more. */
export const pageBytes = 4_194_304;
/** A database that comes back within this time breaks no subscription. */
const patienceMs = 60_000;
const retryDelayMs = 500;

export interface ResultsPosition {
  seq: number;
  index: number;
}

export interface ResultsPage {
  batch: BatchRecord;
  items: ItemRecord[];
  /** The file that the rows of the items are read by. */
  file: BatchFile;
  end: ResultsPosition;
}

/** The error that the streams of a batch end with that its owner has deleted. */
export function batchDeleted(): AppError {
  return new AppError('NOT_FOUND', 'The batch was deleted');
}

/**
 * Succeeded and failed items behind a position, in pages; ends after the last one of a batch that
 * has ended. `states` are those of the batch, the final one last. Throws NOT_FOUND once the batch
 * is deleted.
 */
export function watchResults(
  { db, log }: { db: Database; log: Log },
  {
    batch,
    states,
    after,
  }: { batch: BatchRecord; states: AsyncIterableIterator<BatchRecord>; after: ResultsPosition },
): AsyncIterableIterator<ResultsPage> {
  const { key, fileKey } = batch;
  let position = after;
  let state = batch;
  let closed = false;
  let file: BatchFile | null = null;

  /** Reads, and tries again for a while when the database is away. */
  async function insist<T>(read: () => Promise<T>): Promise<T> {
    for (const until = performance.now() + patienceMs; ; ) {
      try {
        return await read();
      } catch (error) {
        if (databaseFailureCode(error) === null) {
          await refuseIfDeleted();
          throw error;
        }
        if (performance.now() > until) throw error;
        log.warn({ err: error, batchId: batch.id }, 'could not read results; trying again');
        await delay(retryDelayMs, undefined, { ref: false });
      }
    }
  }

  async function refuseIfDeleted(): Promise<void> {
    if ((await readBatchByKey(db, key)) === null) throw batchDeleted();
  }

  const readPage = () =>
    readResultsAfter(db.sql, { batchKey: key, fileKey }, position, {
      limit: pageSize,
      maxBytes: pageBytes,
    });

  async function next(): Promise<IteratorResult<ResultsPage>> {
    for (;;) {
      if (closed) return { done: true, value: undefined };
      // The state is older than the read: if it is final, what the read finds is all there is.
      const ended = isFinal(state.status);
      // Both before the position moves: a page that was read and could not be shown would be
      // missed.
      file ??= await insist(() => readBatchFile(db, fileKey));
      const items = await insist(readPage);
      const last = items.at(-1);
      if (last) {
        position = { seq: last.seq, index: last.index };
        return { done: false, value: { batch: state, items, file, end: position } };
      }
      if (ended) {
        // Else what was purged would look like an end.
        await insist(refuseIfDeleted);
        return await close();
      }
      const changed = await states.next();
      if (changed.done) closed ||= !isFinal(state.status);
      else state = changed.value;
    }
  }

  async function close(): Promise<IteratorResult<ResultsPage>> {
    closed = true;
    await states.return?.();
    return { done: true, value: undefined };
  }

  return {
    async next() {
      try {
        return await next();
      } catch (error) {
        await close();
        throw error;
      }
    },
    return: close,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
