export interface Looper {
  /** Runs the work now, or after the run under way. Resolves when that is over; never rejects. */
  run(): Promise<void>;
  /** Starts no more runs. Resolves when the run under way is over. */
  stop(): Promise<void>;
}

/** Work that never runs beside itself. All calls during a run share the next one. */
export function createLooper(work: () => Promise<void>, onError: (error: unknown) => void): Looper {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let stopped = false;

  function run(): Promise<void> {
    if (stopped) return running ?? Promise.resolve();
    if (running !== null) {
      next ??= running.then(() => {
        next = null;
        return run();
      });
      return next;
    }
    running = work()
      .catch(onError)
      .finally(() => {
        running = null;
      });
    return running;
  }

  return {
    run,
    stop() {
      stopped = true;
      return running ?? Promise.resolve();
    },
  };
}
