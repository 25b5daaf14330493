/** Starts the embedded server again when it was killed, or shut down by a full disk. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, findPostmaster, startPostmaster } from './cluster.ts';

const lookEveryMs = 1_000;
/** Pauses between starts that fail double up to the longest. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/** Events of the server, for the log. */
export type ServerEvent = { kind: 'restarted' } | { kind: 'not_restarted'; error: unknown };

/**
 * Looks after the server on `cluster` until it is stopped. The server comes back on the same port,
 * so that a process that knows its address finds it again. `withLock` keeps other processes from
 * starting or stopping it meanwhile.
 */
export function guardPostmaster({
  cluster,
  port,
  withLock,
  onEvent,
}: {
  cluster: Cluster;
  port: number;
  withLock: (work: () => Promise<void>) => Promise<void>;
  onEvent: (event: ServerEvent) => void;
}): { stop(): Promise<void> } {
  const stopped = new AbortController();

  async function startIfGone(): Promise<void> {
    if (stopped.signal.aborted || (await findPostmaster(cluster)) !== null) return;
    await startPostmaster(cluster, port);
    onEvent({ kind: 'restarted' });
  }

  async function guard(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (await wait(lookEveryMs)) {
      // Looking fails too: where the process has no file descriptor left, for one.
      try {
        if ((await findPostmaster(cluster)) !== null) continue;
        await withLock(startIfGone);
        pauseMs = firstPauseMs;
      } catch (error) {
        onEvent({ kind: 'not_restarted', error });
        await wait(pauseMs);
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
    }
  }

  /** False when there is to be no more guarding. */
  async function wait(ms: number): Promise<boolean> {
    const { signal } = stopped;
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined); // only the abort
    return !signal.aborted;
  }

  const guarding = guard();
  return {
    async stop() {
      stopped.abort();
      await guarding;
    },
  };
}
