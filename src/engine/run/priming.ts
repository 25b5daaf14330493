/**
 * Calls with one beginning that go out before the first of them is answered all write it to the
 * provider's prompt cache, and pay for it. So one goes first, and the others wait for its answer.
 */
import type { Clock } from '../../model/limits/clock.ts';

/** A first call that takes longer is waited for no more. */
const maxWaitMs = 10_000;
/** Providers forget a beginning that nobody has read for five minutes. */
const warmMs = 4 * 60_000;

export interface Priming {
  /** True where a call may go out now: false while the first one is under way. */
  mayBegin(): boolean;
  /** A call goes out. True where it is the first one, whose end is to be told. */
  begin(): boolean;
  /** A call was answered: the beginning is written. */
  answered(): void;
  /** The first call has ended. Where nothing has answered it, the next one goes first. */
  firstEnded(): void;
  /** Calls back once, when a call may go out. A listener that waits already is kept once. */
  whenOpen(listener: () => void): void;
}

/** The priming of one beginning in one process. */
export function createPriming(clock: Clock): Priming {
  let warmUntil = Number.NEGATIVE_INFINITY;
  /** Ends the time that the first call is waited for; null where none is under way. */
  let endWait: (() => void) | null = null;
  let listeners = new Set<() => void>();

  function keepWarm(): void {
    warmUntil = clock.now() + warmMs;
  }

  function open(): void {
    endWait?.();
    endWait = null;
    const told = listeners;
    listeners = new Set();
    for (const listener of told) listener();
  }

  return {
    mayBegin: () => endWait === null,
    begin() {
      if (clock.now() < warmUntil) {
        keepWarm();
        return false;
      }
      endWait ??= clock.setTimer(() => {
        keepWarm();
        open();
      }, maxWaitMs);
      return true;
    },
    answered() {
      keepWarm();
      if (endWait) open();
    },
    firstEnded() {
      if (endWait) open();
    },
    whenOpen: (listener) => listeners.add(listener),
  };
}

/** Resolves when a call may go out. Rejects with the signal's reason when aborted. */
export async function opened(priming: Priming, signal: AbortSignal): Promise<void> {
  while (!priming.mayBegin()) {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      priming.whenOpen(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
    });
  }
}
