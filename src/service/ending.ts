/** The end of a process: its parts are taken down in reverse of the order in which they began. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../core/log.ts';

/** Calls in flight get this long to finish at an orderly end. */
export const shutdownGraceMs = 30_000;

/** A part that lets its calls finish within a grace, in milliseconds. */
interface Graceful {
  stop(graceMs: number): Promise<void>;
}

export interface Ending {
  /** `close` is called when all that began later is closed. */
  add(close: () => Promise<unknown>): void;
  /**
   * `close` is called when all else is closed, and all of these that began later: for what tells
   * of the end until it is there.
   */
  addLast(close: () => Promise<unknown>): void;
  /** As `add`, for a part with calls; `hurry` closes it without grace, at any time. */
  addHurried(close: () => Promise<unknown>, hurry: () => Promise<unknown>): void;
  /** The same for work of the engine, which begins no call once the process is to stop. */
  addWorking(part: Graceful): void;
  /** Closes everything, one part after the other. Never rejects. */
  closeAll(): Promise<void>;
  /**
   * After the delay takes nothing new, lets calls under way finish, gives back the rest, and closes
   * everything. `hurry` cuts delay and grace short, also while an orderly end is under way.
   */
  stop(options?: { hurry: boolean }): Promise<void>;
}

/** `onStop` is called at once, and all else `delayMs` later, when a balancer has noticed. */
export function createEnding(
  log: Log,
  { delayMs = 0, onStop = () => undefined }: { delayMs?: number; onStop?: () => void } = {},
): Ending {
  const lasts: (() => Promise<unknown>)[] = [];
  const closes: (() => Promise<unknown>)[] = [];
  const working: Graceful[] = [];
  const hurries: (() => Promise<unknown>)[] = [];
  const delay = new AbortController();
  let stopping: Promise<void> | null = null;

  async function end(): Promise<void> {
    const { signal } = delay;
    if (delayMs > 0) await pause(delayMs, null, { signal }).catch(() => undefined); // in a hurry
    // No new calls while requests that are under way are waited for; the end below waits for the
    // same.
    for (const part of working) void part.stop(shutdownGraceMs).catch(() => undefined);
    await closeAll();
  }

  async function closeAll(): Promise<void> {
    for (const close of [...closes.reverse(), ...lasts.reverse()]) {
      try {
        await close();
      } catch (error) {
        log.error({ err: error }, 'a part could not be closed in order');
      }
    }
  }

  function addHurried(close: () => Promise<unknown>, hurry: () => Promise<unknown>): void {
    closes.push(close);
    hurries.push(hurry);
  }

  return {
    add(close) {
      closes.push(close);
    },
    addLast(close) {
      lasts.push(close);
    },
    addHurried,
    addWorking(part) {
      addHurried(
        () => part.stop(shutdownGraceMs),
        () => part.stop(0),
      );
      working.push(part);
    },
    closeAll,
    stop(options) {
      onStop();
      stopping ??= end();
      if (!options?.hurry) return stopping;
      delay.abort();
      // The end under way waits for the same, and has its errors.
      for (const hurry of hurries) void hurry().catch(() => undefined);
      return stopping;
    },
  };
}
