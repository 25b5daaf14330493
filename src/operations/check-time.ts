/**
 * Time limits for the checks of answers. A user's schema can take exponential time on some answer,
 * by a `pattern` that backtracks, and one answer can be a million values. Only running a check
 * shows its time, and nobody else is served meanwhile. Only time at work counts: a process that is
 * stopped or waits for a processor does not fail an answer.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { type Context, createContext, Script } from 'node:vm';
import { InvalidOutput } from '../core/errors.ts';

/** For one answer, and for all the slow ones of a request or a batch together. */
export const checkLimitMs = 200;
/** Maximum time of an answer that does not count as slow. */
const freeCheckMs = 5;
/**
 * Share of the passing time that is given back: a batch may stop the process for a tenth of its
 * time.
 */
const refillShare = 0.1;
/** An answer that was stopped costs this: for ten seconds no other is checked. */
const overrunMs = 1_000;
/** With less than this left no check is begun: it would only fail for lack of time. */
const leastLeftMs = 20;
/** The clock is read at every so many steps. */
const stepsPerLook = 1_024;

export interface CheckTime {
  /**
   * Runs the check of one answer, which calls `tick` at every step. `patterns`: whether regular
   * expressions of a user's may run in it, which no step interrupts: it may then run several times.
   * Throws InvalidOutput when the time is up.
   */
  limit<Result>(work: (tick: () => void) => Result, options: { patterns: boolean }): Result;
  /**
   * For readers of many answers: resolves when others have had their turn and time is left for the
   * next answer. Waiting readers go on one at a time.
   */
  turn(): Promise<void>;
}

/** The time that all answers of one request, or of one batch, have for their checks. */
export function createCheckTime(): CheckTime {
  let leftMs = checkLimitMs;
  let readAt = performance.now();
  let watchdog: Watchdog | null = null;
  let lastTurn = Promise.resolve();

  function refill(now: number): void {
    leftMs = Math.min(checkLimitMs, leftMs + (now - readAt) * refillShare);
    readAt = now;
  }

  /** None after an answer that was stopped: the others are told at once. */
  function restMs(): number {
    refill(performance.now());
    return leftMs < 0 || leftMs >= checkLimitMs / 2 ? 0 : (checkLimitMs / 2 - leftMs) / refillShare;
  }

  return {
    limit(work, { patterns }) {
      refill(performance.now());
      if (leftMs < leastLeftMs) throw tooSlow();
      const stopwatch = startStopwatch();
      try {
        if (!patterns) return work(createTick(stopwatch, leftMs));
        watchdog ??= createWatchdog();
        return watchdog(work, leftMs);
      } catch (error) {
        if (!(error instanceof TimeIsUp)) throw error;
        leftMs -= overrunMs;
        throw tooSlow(error);
      } finally {
        leftMs -= Math.max(0, stopwatch() - freeCheckMs);
      }
    },
    turn() {
      lastTurn = lastTurn.then(async () => {
        const waitMs = restMs();
        await (waitMs === 0 ? nextTurn() : delay(waitMs));
      });
      return lastTurn;
    },
  };
}

class TimeIsUp extends Error {
  override readonly name = 'TimeIsUp';
}

function tooSlow(cause?: Error): InvalidOutput {
  const message = 'The answer takes too long to check against its schema.';
  return new InvalidOutput(message, cause && { cause });
}

/** Milliseconds at work since it was started. */
type Stopwatch = () => number;

function startStopwatch(): Stopwatch {
  const startedAt = performance.now();
  const before = processorMs();
  // The processor's clock is a coarse one in places, or that of all threads.
  return () => Math.min(performance.now() - startedAt, processorMs() - before);
}

/** Processor time of this thread. Before Node 23.9, of all threads. */
function processorMs(): number {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1_000;
}

/** Makes a function that throws TimeIsUp when called after `limitMs`. */
function createTick(stopwatch: Stopwatch, limitMs: number): () => void {
  const deadline = performance.now() + limitMs;
  let steps = 0;
  return () => {
    steps += 1;
    // The clock that passes by itself first: it costs less to read.
    if (steps % stepsPerLook !== 0 || performance.now() <= deadline) return;
    if (stopwatch() > limitMs) throw new TimeIsUp();
  };
}

/** Runs work that is stopped wherever it is after `limitMs`, for 100 microseconds more. */
type Watchdog = <Result>(work: (tick: () => void) => Result, limitMs: number) => Result;

function createWatchdog(): Watchdog {
  const script = new Script('work()');
  const sandbox: Context & { work?: () => unknown } = createContext({});

  function run<Result>(work: () => Result, timeout: number): Result {
    try {
      // Functions of this realm are stopped too: the limit is on the thread, not on the context.
      sandbox.work = work;
      return script.runInContext(sandbox, { timeout });
    } catch (error) {
      // Of another realm, so that instanceof does not know it.
      if (Object(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new TimeIsUp();
      throw error;
    }
  }

  return (work, limitMs) => {
    for (let timeout = Math.ceil(limitMs); ; timeout *= 2) {
      const stopwatch = startStopwatch();
      try {
        return run(() => work(createTick(stopwatch, limitMs)), timeout);
      } catch (error) {
        // The watchdog has no clock but the one that passes by itself: work that was hardly let
        // run is tried again, with more of it.
        if (!(error instanceof TimeIsUp) || stopwatch() > limitMs / 2) throw error;
      }
    }
  };
}
