export interface Clock {
  /** A monotonic clock in milliseconds. */
  now(): number;
  /** Calls back after so many milliseconds; returns how to cancel. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

/** Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
