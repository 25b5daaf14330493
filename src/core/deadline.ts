/** Work that ends with its caller or at a deadline, and waits that a signal ends. */
import { setMaxListeners } from 'node:events';

/** A controller that aborts when `signal` does, with the same reason, until `leave` is called. */
export function follow(signal: AbortSignal | null): {
  controller: AbortController;
  leave: () => void;
} {
  const controller = new AbortController();
  if (signal === null) return { controller, leave: () => undefined };
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  // Node 20 warns of a leak when an eleventh call shares a signal.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', abort, { once: true });
  return { controller, leave: () => signal.removeEventListener('abort', abort) };
}

/**
 * Runs `work` under a signal that aborts with `signal`, and after `afterMs` (null: never) with the
 * error that `late` makes. Rejects with the reason of that abort, else as `work` does. When `work`
 * rejects, its signal aborts: no part of the work goes on.
 */
export async function withDeadline<T>(
  {
    signal,
    afterMs,
    late,
  }: { signal: AbortSignal | null; afterMs: number | null; late: () => Error },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const { controller, leave } = follow(signal);
  const timer = afterMs === null ? null : setTimeout(() => controller.abort(late()), afterMs);
  try {
    return await work(controller.signal);
  } catch (error) {
    // Nothing changes where it has aborted already.
    controller.abort(error);
    throw controller.signal.reason;
  } finally {
    if (timer) clearTimeout(timer);
    leave();
  }
}

/** Resolves after `delayMs`. Rejects with the reason of `signal` when that aborts first. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, delayMs);
    signal.addEventListener('abort', abort, { once: true });
  });
}
