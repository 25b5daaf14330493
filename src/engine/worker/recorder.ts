import type { Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import { type NewResult, type Recorded, recordResults } from '../../db/results.ts';

/** A flush goes out when this many results wait, */
const flushSize = 1_000;
/** or when the oldest has waited this long: a result is to be known to subscribers within 300 ms, */
const flushDelayMs = 25;
/** or this long where calls wait for the places of answers. */
const hurriedDelayMs = 5;
/** While the database is away, a flush is tried again this often. */
const retryDelayMs = 500;

/** Results of one batch under one worker id, on their way to the database: one statement at a time. */
export interface Recorder {
  add(result: NewResult): void;
  /** Others wait for the places of what is not written yet: it waits no longer than it must to be worth a statement. */
  hurry(): void;
  /** Results that are not written yet. */
  unwritten(): number;
  /** Resolves when nothing waits any more, whether written or given up. */
  drain(): Promise<void>;
  /** Gives up what could not be written: the lease is lost, whoever holds the items now asks again. */
  abandon(): void;
}

export function createRecorder({
  db,
  batchKey,
  batchId,
  worker,
  onRecorded,
  onGone,
  onUnstorable,
  log,
}: {
  db: Database;
  batchKey: bigint;
  /** As its owner knows it, for the log. */
  batchId: string;
  worker: string;
  onRecorded: (results: readonly NewResult[], recorded: Recorded) => void;
  /** There is no such batch any more. */
  onGone: () => void;
  /** A result can be stored in no form: a fault of the statement, not of the item. */
  onUnstorable: () => void;
  log: Log;
}): Recorder {
  let waiting: NewResult[] = [];
  let timer: NodeJS.Timeout | null = null;
  let flushing: Promise<void> | null = null;
  let abandoned = false;
  let unwritten = 0;
  let oldestAt = 0;
  let hurried = false;

  function add(result: NewResult): void {
    if (abandoned) return;
    unwritten += 1;
    if (waiting.length === 0) oldestAt = performance.now();
    waiting.push(result);
    if (waiting.length >= flushSize) flush();
    else if (!timer && !flushing) flushAfter(flushDelayMs);
  }

  function hurry(): void {
    if (hurried || waiting.length === 0) return;
    hurried = true;
    if (!flushing) flushAfter(hurriedDelayMs);
  }

  /** When the oldest will have waited this long. */
  function flushAfter(delayMs: number): void {
    if (timer) clearTimeout(timer);
    timer = setTimeout(flush, Math.max(0, oldestAt + delayMs - performance.now()));
  }

  function flush(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    if (flushing || waiting.length === 0) return;
    hurried = false;
    const results = waiting.splice(0, flushSize);
    flushing = write(results).finally(() => {
      flushing = null;
      if (waiting.length >= flushSize) flush();
      else if (waiting.length > 0) flushAfter(hurried ? hurriedDelayMs : flushDelayMs);
    });
  }

  async function write(results: readonly NewResult[]): Promise<void> {
    for (;;) {
      if (abandoned) return;
      try {
        const recorded = await recordResults(db.sql, { batchKey, worker, results });
        unwritten -= results.length;
        if (!recorded) {
          onGone();
          return;
        }
        onRecorded(results, recorded);
        return;
      } catch (error) {
        if (isDataError(error) || isTooLong(error)) {
          await writeRefused(results, error);
          return;
        }
        log.warn({ err: error, batch: batchId }, 'could not record results; trying again');
        await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
      }
    }
  }

  /** The database takes one of these results for no text or number of its own: find it, and let the others pass. */
  async function writeRefused(results: readonly NewResult[], error: unknown): Promise<void> {
    const [only, ...others] = results;
    if (!only) return;
    if (others.length > 0) {
      const half = Math.ceil(results.length / 2);
      await write(results.slice(0, half));
      await write(results.slice(half));
      return;
    }
    log.error({ err: error, batch: batchId, index: only.index }, 'an answer cannot be stored');
    if (only.usage === unknownUsage) {
      unwritten -= 1;
      onUnstorable();
      return;
    }
    const { index, first, attempts } = only;
    await write([{ index, first, attempts, usage: unknownUsage, outcome: unstorable }]);
  }

  return {
    add,
    hurry,
    unwritten: () => unwritten,
    async drain() {
      while (flushing || waiting.length > 0) {
        flush();
        await flushing;
      }
    },
    abandon() {
      abandoned = true;
      waiting = [];
      if (timer) clearTimeout(timer);
      timer = null;
    },
  };
}

const unknownUsage = {
  requests: 1,
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  costUsd: null,
};
const unstorable = {
  status: 'FAILED',
  error: { code: 'INVALID_OUTPUT', message: 'The answer cannot be stored' },
} as const;

/** All of them together are more than a string can hold. */
function isTooLong(error: unknown): boolean {
  return error instanceof RangeError;
}

/** SQLSTATE classes 22 and 23: a value is wrong, and will be wrong again. */
function isDataError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^2[23]...$/.test(code);
}
