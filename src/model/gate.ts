/**
 * The turnstile in front of one model of one provider. Two questions for every call: is there room, and is it open?
 *
 * Room is a limit on calls in flight, set by additive increase and multiplicative decrease: it starts at the ceiling, is
 * multiplied by 0.7 on a 429 and grows by 5 % of the ceiling per round trip of successes. A burst of 429s comes
 * from one overload, so only a permit taken after the last decrease can cause the next one.
 * Open is time: a Retry-After (or, after a 429 without one, a short backoff) closes the gate for every call until then.
 *
 * Waiting `enter`s are served first, in order; `tryEnter` gets what they leave. So the worker can fill the gate but
 * never starve a synchronous caller, who waits for one running call at most.
 */
import { setMaxListeners } from 'node:events';
import type { Gate, Permit } from './model.ts';

const decrease = 0.7;
const increase = 0.05;
/** Backoff of the first 429 without Retry-After; doubled per decrease in a row, drawn from the upper half of its window. */
const backoffMs = 500;
const maxBackoffMs = 8_000;
/** A server that says "0 s" with every 429 must not be asked in a tight loop. */
const minClosedMs = 50;

export interface GateOptions {
  /** The ceiling: calls in flight at once, synchronous and batch together. At least 1. */
  maxConcurrency: number;
  /** A monotonic clock in milliseconds. */
  now?: () => number;
  /** Calls back after so many milliseconds; returns how to cancel. */
  setTimer?: (callback: () => void, delayMs: number) => () => void;
  /** Draws from [0, 1). */
  random?: () => number;
}

interface Waiter {
  admit(permit: Permit): void;
}

/** An open gate with room for `maxConcurrency` calls. Its timers do not keep the process alive. */
export function createGate({
  maxConcurrency,
  now = () => performance.now(),
  setTimer = setUnrefTimer,
  random = Math.random,
}: GateOptions): Gate {
  const ceiling = Math.max(1, Math.floor(maxConcurrency));
  const waiters = new Set<Waiter>();
  const listeners = new Set<() => void>();
  let limit = ceiling;
  let inFlight = 0;
  let answered = 0;
  /** Successes of this round trip, and the most calls that were in flight in it. */
  let successes = 0;
  let peak = 0;
  /** Raised by each decrease; permits remember theirs. */
  let generation = 0;
  let decreasesInARow = 0;
  let closedUntil = Number.NEGATIVE_INFINITY;
  let cancelTimer: (() => void) | null = null;

  const isFree = () => inFlight < Math.floor(limit) && now() >= closedUntil;

  function issue(): Permit {
    const entered = generation;
    let released = false;
    inFlight += 1;
    peak = Math.max(peak, inFlight);
    return {
      release(outcome, retryAfterMs = null) {
        // A second release is ignored: a `finally` may follow an explicit release, and must not free someone else's place.
        if (released) return;
        released = true;
        learn(outcome, { entered, retryAfterMs });
        inFlight -= 1;
        open();
      },
    };
  }

  function learn(
    outcome: Parameters<Permit['release']>[0],
    { entered, retryAfterMs }: { entered: number; retryAfterMs: number | null },
  ): void {
    const isCurrent = entered === generation;
    switch (outcome) {
      case 'ok':
        answered += 1;
        if (!isCurrent) return;
        decreasesInARow = 0;
        // A limit that is not used teaches nothing about what lies above it.
        if (peak * 2 >= limit) limit = Math.min(ceiling, limit + (increase * ceiling) / limit);
        successes += 1;
        if (successes >= limit) {
          successes = 0;
          peak = inFlight;
        }
        return;
      case 'rate_limited':
        if (isCurrent) {
          generation += 1;
          decreasesInARow += 1;
          limit = Math.max(1, limit * decrease);
          successes = 0;
          peak = 0;
        }
        if (retryAfterMs !== null) closeFor(Math.max(minClosedMs, retryAfterMs));
        else if (isCurrent) closeFor(backoff());
        return;
      case 'failed':
        if (retryAfterMs !== null) closeFor(retryAfterMs);
        return;
      case 'aborted':
        return;
      default:
        outcome satisfies never;
    }
  }

  function backoff(): number {
    const windowMs = Math.min(maxBackoffMs, backoffMs * 2 ** (decreasesInARow - 1));
    return windowMs * (0.5 + random() / 2);
  }

  function closeFor(delayMs: number): void {
    const until = now() + delayMs;
    if (until <= closedUntil) return;
    closedUntil = until;
    cancelTimer?.();
    cancelTimer = setTimer(reopen, delayMs);
  }

  function reopen(): void {
    cancelTimer = null;
    const restMs = closedUntil - now();
    // Timers fire up to a millisecond early.
    if (restMs > 0) cancelTimer = setTimer(reopen, Math.ceil(restMs));
    else open();
  }

  /** Serves who waits, then tells the listeners if something is left. */
  function open(): void {
    serve();
    if (waiters.size > 0 || !isFree()) return;
    for (const listener of [...listeners]) listener();
  }

  function serve(): void {
    for (const waiter of waiters) {
      if (!isFree()) return;
      waiters.delete(waiter);
      waiter.admit(issue());
    }
  }

  return {
    get answered() {
      return answered;
    },
    enter(signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      serve();
      if (waiters.size === 0 && isFree()) return Promise.resolve(issue());
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          admit(permit) {
            signal.removeEventListener('abort', leave);
            resolve(permit);
          },
        };
        const leave = () => {
          waiters.delete(waiter);
          reject(signal.reason);
        };
        // Node 20 warns of a leak when an eleventh call shares a signal.
        setMaxListeners(0, signal);
        signal.addEventListener('abort', leave, { once: true });
        waiters.add(waiter);
      });
    },
    tryEnter() {
      serve();
      return waiters.size === 0 && isFree() ? issue() : null;
    },
    onOpen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function setUnrefTimer(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
