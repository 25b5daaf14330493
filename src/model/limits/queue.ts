/**
 * Who waits in front of a gate. Waiting `enter`s are served first, in order; `tryEnter` gets what
 * they leave. So the worker can fill the gate but never starve a synchronous caller, who waits for
 * one running call at most.
 */
import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.ts';
import type { Gate, Permit } from './permit.ts';

/** The part of its gate that the queue needs. */
interface Door {
  hasRoom(): boolean;
  /** When time alone lets the next call through: `at` or later. */
  opensAt(at: number): number;
  issue(): Permit;
  /** Why nobody is made to wait at present; null where the queue is open. */
  refusal(): Error | null;
}

export interface Queue extends Pick<Gate, 'enter' | 'tryEnter' | 'onOpen'> {
  /** Something changed: serves who waits, then tells the listeners if something is left. */
  serve(): void;
  /** Sends away who waits. */
  refuseAll(error: Error): void;
  /** Number of those that wait. */
  waiting(): number;
  /** Tells the listeners when time alone opens the gate, which was found closed now. */
  watch(): void;
}

interface Waiter {
  admit(permit: Permit): void;
  refuse(error: Error): void;
}

export function createQueue(door: Door, clock: Clock): Queue {
  const waiters = new Set<Waiter>();
  const listeners = new Set<() => void>();
  let timer: { at: number; cancel: () => void } | null = null;

  /** `at` is now. One look goes by one time: nobody would hear of a gate that opened meanwhile. */
  function isFree(at: number): boolean {
    return door.hasRoom() && door.opensAt(at) <= at;
  }

  /** Returns the time of its last look. */
  function admitWaiters(): number {
    let at = clock.now();
    for (const waiter of waiters) {
      if (!isFree(at)) break;
      waiters.delete(waiter);
      waiter.admit(door.issue());
      at = clock.now();
    }
    return at;
  }

  function serve(): void {
    const at = admitWaiters();
    if (waiters.size === 0 && isFree(at)) for (const listener of [...listeners]) listener();
    arm(at);
  }

  /** Tells all who wait when time alone opens the gate. */
  function arm(now: number): void {
    if ((waiters.size === 0 && listeners.size === 0) || !door.hasRoom()) return;
    const at = door.opensAt(now);
    if (at <= now || (timer && timer.at <= at)) return;
    timer?.cancel();
    const cancel = clock.setTimer(
      () => {
        // Timers fire up to a millisecond early; `serve` arms the next one then.
        timer = null;
        serve();
      },
      Math.ceil(at - now),
    );
    timer = { at, cancel };
  }

  return {
    serve,
    refuseAll(error) {
      for (const waiter of waiters) waiter.refuse(error);
      waiters.clear();
    },
    waiting: () => waiters.size,
    watch: () => arm(clock.now()),
    enter(signal) {
      if (signal.aborted) return Promise.reject(signal.reason);
      const at = admitWaiters();
      if (waiters.size === 0 && isFree(at)) return Promise.resolve(door.issue());
      const refusal = door.refusal();
      if (refusal) return Promise.reject(refusal);
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          admit(permit) {
            signal.removeEventListener('abort', leave);
            resolve(permit);
          },
          refuse(error) {
            signal.removeEventListener('abort', leave);
            reject(error);
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
        arm(at);
      });
    },
    tryEnter() {
      const at = admitWaiters();
      if (waiters.size === 0 && isFree(at)) return door.issue();
      arm(at);
      return null;
    },
    onOpen(listener) {
      listeners.add(listener);
      arm(clock.now());
      return () => listeners.delete(listener);
    },
  };
}
