/** When a request is cut off: by the signal of its caller, or because nothing comes any more. */
import { abortedBy, type ConnectionLost, lost } from './errors.ts';

export interface Cut {
  /** For fetch. */
  readonly signal: AbortSignal;
  /** Why the request was cut off; null where it was not. */
  readonly reason: Error | null;
  /**
   * The same as `work`, but rejects as soon as the request is cut off, whatever `work` does. One
   * work at a time.
   */
  race<T>(work: Promise<T>): Promise<T>;
  /** Something came or went: the wait begins from the start, and may be another from now on. */
  moved(silenceMs?: number): void;
  /** Nothing is waited for until the next `moved`. */
  pause(): void;
  /** Cuts the request off. */
  because(error: Error): void;
  /** Takes the timer and the listener away. Aborts what is still under way. */
  end(): void;
}

/** Throws Aborted where the signal is aborted already. */
export function createCut({
  signal,
  silenceMs,
}: {
  signal?: AbortSignal | undefined;
  /** Milliseconds without anything until the request counts as lost. */
  silenceMs: number;
}): Cut {
  if (signal?.aborted) throw abortedBy(signal);
  const controller = new AbortController();
  let reason: Error | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /**
   * The refusal of the work that is raced now: a promise for all of it would keep whatever came.
   */
  let refuse: (error: Error) => void = () => undefined;

  const cut = (error: Error): void => {
    reason ??= error;
    refuse(reason);
    controller.abort(reason);
  };
  const onAbort = () => signal && cut(abortedBy(signal));
  signal?.addEventListener('abort', onAbort);
  const pause = () => clearTimeout(timer);
  const moved = (waitMs = silenceMs) => {
    pause();
    timer = setTimeout(() => cut(silent(waitMs)), waitMs);
  };
  moved();

  return {
    signal: controller.signal,
    get reason() {
      return reason;
    },
    race: (work) =>
      new Promise((resolve, reject) => {
        refuse = reject;
        if (reason !== null) reject(reason);
        work.then(resolve, reject);
      }),
    moved,
    pause,
    because: cut,
    end() {
      pause();
      signal?.removeEventListener('abort', onAbort);
      controller.abort();
    },
  };
}

function silent(silenceMs: number): ConnectionLost {
  return lost(`Nothing came from the server for ${silenceMs / 1_000} s`);
}
