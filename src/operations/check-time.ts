/**
 * How long answers may take to be checked. A user's schema can take exponential time on some answer, by a `pattern` that backtracks,
 * and one answer can be a million values: only running it shows that, and nobody else is served meanwhile.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { type Context, createContext, Script } from 'node:vm';
import { InvalidOutput } from '../errors.ts';

/** For one answer, and for all the slow ones of a request or a batch together. */
const LIMIT_MS = 200;
/** What an answer takes at most that is not a slow one. */
const FREE_MS = 5;
/** Of the time that passes, so much comes back: a batch may stop the process for a tenth of its time. */
const REFILL = 0.1;
/** An answer that was stopped costs this: for ten seconds no other is checked. */
const OVERRUN_MS = 1_000;
/** With less than this left no check is begun: it would only fail for lack of time. */
const LEAST_MS = 20;
/** The clock is read at every so many steps. */
const STEPS = 1_024;

export interface CheckTime {
  /**
   * Runs the check of one answer, which calls `tick` at every step. `patterns`: whether regular expressions of a user's may run in it,
   * which no step interrupts. Throws InvalidOutput when the time is up.
   */
  limit<Result>(work: (tick: () => void) => Result, options: { patterns: boolean }): Result;
  /** For who reads many: resolves when others have had their turn, and the next answer has time. Whoever waits is let through one by one. */
  turn(): Promise<void>;
}

/** The time that all answers of one request, or of one batch, have for their checks. */
export function createCheckTime(): CheckTime {
  let leftMs = LIMIT_MS;
  let readAt = performance.now();
  let watchdog: Watchdog | null = null;
  let lastTurn = Promise.resolve();

  function refill(now: number): void {
    leftMs = Math.min(LIMIT_MS, leftMs + (now - readAt) * REFILL);
    readAt = now;
  }

  /** None after an answer that was stopped: the others are told at once. */
  function restMs(): number {
    refill(performance.now());
    return leftMs < 0 || leftMs >= LIMIT_MS / 2 ? 0 : (LIMIT_MS / 2 - leftMs) / REFILL;
  }

  return {
    limit(work, { patterns }) {
      const startedAt = performance.now();
      refill(startedAt);
      if (leftMs < LEAST_MS) throw tooSlow();
      const deadline = startedAt + leftMs;
      let steps = 0;
      const tick = () => {
        steps += 1;
        if (steps % STEPS === 0 && performance.now() > deadline) throw new TimeIsUp();
      };
      try {
        if (!patterns) return work(tick);
        watchdog ??= createWatchdog();
        return watchdog(() => work(tick), Math.ceil(leftMs));
      } catch (error) {
        if (!(error instanceof TimeIsUp)) throw error;
        leftMs -= OVERRUN_MS;
        throw tooSlow(error);
      } finally {
        leftMs -= Math.max(0, performance.now() - startedAt - FREE_MS);
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

/** Runs work that is stopped wherever it is when its time is up, at 100 microseconds more than it would cost by itself. */
type Watchdog = <Result>(work: () => Result, timeout: number) => Result;

function createWatchdog(): Watchdog {
  const script = new Script('work()');
  const sandbox: Context & { work?: () => unknown } = createContext({});
  return (work, timeout) => {
    try {
      // Functions of this realm are stopped too: the limit is on the thread, not on the context.
      sandbox.work = work;
      return script.runInContext(sandbox, { timeout });
    } catch (error) {
      // Of another realm, so that instanceof does not know it.
      if (Object(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new TimeIsUp();
      throw error;
    }
  };
}
