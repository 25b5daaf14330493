/**
 * Counts tokens beside the event loop, which it never holds up: in one thread, which starts with
 * the first job and ends a minute after the last one.
 */
import { Worker } from 'node:worker_threads';
import { AppError } from '../core/errors.ts';
import type { Encoding } from './model-tokenizer.ts';
import type { Counted } from './thread.js';

/** Texts are counted for this long; what is counted by then is what is known. */
const usualCountMs = 2_000;
/** A thread that has not answered by then never will. */
const answerMs = 20_000;
const idleMs = 60_000;
/** Jobs of requests that wait. Behind as many, nobody would wait for his. */
const maxWaiting = 8;

interface CountJob {
  encodings: readonly Encoding[];
  /** The most important ones first: the time may not suffice for all. */
  texts: readonly string[];
}

export interface Counter {
  /**
   * Counts the tokens of each text. Rejects with RATE_LIMITED where too many jobs wait; `patient`
   * ones wait behind all others instead, and for as long as it takes.
   */
  count(job: CountJob, options?: { patient: boolean }): Promise<Counted>;
  /** Ends the thread; jobs under way are rejected. */
  stop(): Promise<void>;
}

interface Waiting {
  job: CountJob;
  resolve(counted: Counted): void;
  reject(error: unknown): void;
}

/** `countMs`: time for the texts of a job, for tests; 2 s when absent. */
export function createCounter({ countMs = usualCountMs } = {}): Counter {
  const waiting: Waiting[] = [];
  const patient: Waiting[] = [];
  let thread: Worker | null = null;
  let current: Waiting | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  function start(): Worker {
    const started = new Worker(new URL('thread.js', import.meta.url), {
      // Those of the process load what compiles TypeScript.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8 },
    });
    started.on('message', (counted: Counted) => settle((job) => job.resolve(counted)));
    started.on('error', (error) => lose(started, error));
    started.on('exit', () => lose(started, new Error('the counting thread ended')));
    return started;
  }

  function next(): void {
    if (current !== null || stopped) return;
    clearTimeout(timer);
    current = waiting.shift() ?? patient.shift() ?? null;
    if (current === null) {
      // It is not what a process that is otherwise over waits for.
      thread?.unref();
      timer = setTimeout(() => void end(), idleMs);
    } else {
      thread ??= start();
      thread.ref();
      thread.postMessage({ ...current.job, withinMs: countMs });
      timer = setTimeout(() => void end(), answerMs);
    }
    timer.unref();
  }

  function settle(settleJob: (job: Waiting) => void): void {
    const job = current;
    current = null;
    if (job) settleJob(job);
    next();
  }

  /** A thread that ends takes its job with it; the next job starts another. */
  function lose(lost: Worker, error: unknown): void {
    if (thread !== lost) return;
    thread = null;
    settle((job) => job.reject(error));
  }

  async function end(): Promise<void> {
    const ended = thread;
    if (ended === null) return;
    await ended.terminate();
    lose(ended, new Error('the counting thread did not answer'));
  }

  return {
    count(job, { patient: isPatient } = { patient: false }) {
      if (stopped) return Promise.reject(new Error('the counter has stopped'));
      if (!isPatient && waiting.length >= maxWaiting) {
        const message = `At most ${maxWaiting} quotes wait at once; try again in a few seconds`;
        return Promise.reject(new AppError('RATE_LIMITED', message));
      }
      return new Promise((resolve, reject) => {
        (isPatient ? patient : waiting).push({ job, resolve, reject });
        next();
      });
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      const left = [...waiting.splice(0), ...patient.splice(0)];
      for (const job of left) job.reject(new Error('the counter has stopped'));
      await end();
    },
  };
}
