/** When to end: Ctrl-C and its like, once and twice. */
export interface Ending {
  /** Aborted at the first request to end. */
  signal: AbortSignal;
  /** Aborted at the second. */
  hurry: AbortSignal;
  /** As a signal does. */
  end(): void;
}

/**
 * Under npm one Ctrl-C can arrive twice: from the terminal, and from npm by way of its shell. A
 * signal within this time is the same Ctrl-C.
 */
const samePressMs = 250;

export function listenForEnd(): Ending {
  const first = new AbortController();
  const second = new AbortController();
  let endedAt = 0;
  const end = () => {
    if (!first.signal.aborted) {
      endedAt = performance.now();
      first.abort(new Error('ended by a signal'));
    } else if (performance.now() - endedAt > samePressMs) {
      second.abort(new Error('hurried by a second signal'));
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  return { signal: first.signal, hurry: second.signal, end };
}
