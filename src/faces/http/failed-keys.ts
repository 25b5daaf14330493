/**
 * Keys that fail, by address: counted, warned of once a minute, and from the 20th on held off. An
 * address whose look-ups under way could bring it to the 20th waits with more of them.
 */
import type { Log } from '../../core/log.ts';
import { networkOf } from './client-address.ts';

const windowMs = 60_000;
/** From the next one on a key is not looked up. */
export const maxFailures = 20;
/** After the first failure an address is warned of with all that came by then. */
export const warnAfterMs = 2_000;
/** Warnings in a minute, whatever the number of addresses. */
export const maxWarnings = 100;
/** Addresses that are kept in mind; beyond it the oldest is forgotten. */
const maxAddresses = 10_000;
/** In one warning. */
const maxRoutes = 5;

interface Window {
  /** In the clock of `now`. */
  endsAt: number;
  failures: number;
  routes: Set<string>;
  /** Failures that the log has been told of. */
  told: number;
}

/** Look-ups that an address still has, and those that wait. */
interface LookUps {
  underWay: number;
  waiting: (() => void)[];
}

export interface FailedKeys {
  /** Seconds until an address is judged again; null where it is judged. */
  waitSeconds(address: string): number | null;
  /**
   * Lets a key be looked up, once it is sure that the address has not failed too often. Resolves
   * with what is to be called when its failure would have been noted; with null where it has.
   */
  enter(address: string): Promise<(() => void) | null>;
  /** Counts a failure. Returns waitSeconds as it was before. */
  note(address: string, route: string): number | null;
  /** Tells what is not told yet. */
  stop(): void;
}

/** `now` is in milliseconds. */
export function createFailedKeys({
  log,
  now = () => performance.now(),
}: {
  log: Pick<Log, 'warn' | 'info'>;
  now?: () => number;
}): FailedKeys {
  /** The oldest first. */
  const windows = new Map<string, Window>();
  /** Networks with look-ups under way. */
  const lookUps = new Map<string, LookUps>();
  let warnings = { since: Number.NEGATIVE_INFINITY, count: 0 };
  let timer: NodeJS.Timeout | null = null;
  let warnTimer: NodeJS.Timeout | null = null;

  function warn(address: string, window: Window): void {
    if (now() - warnings.since >= windowMs) warnings = { since: now(), count: 0 };
    warnings.count += 1;
    if (warnings.count > maxWarnings) return;
    window.told = window.failures;
    log.warn(factOf(address, window), 'requests without a right key came from an address');
  }

  /** Warns of addresses that have failed a few times. */
  function warnOfFew(): void {
    warnTimer = null;
    for (const [address, window] of windows) if (window.told === 0) warn(address, window);
  }

  /** The whole number, of one that was warned of before the minute was over. */
  function sumUp(address: string, window: Window): void {
    if (window.failures === window.told) return;
    log.info(factOf(address, window), 'requests without a right key went on from an address');
  }

  function forget(isOver: (window: Window) => boolean): void {
    for (const [address, window] of windows) {
      if (!isOver(window)) break;
      windows.delete(address);
      if (window.told > 0) sumUp(address, window);
      else if (window.failures < maxFailures) warn(address, window);
    }
  }

  function waitSecondsOf(address: string): number | null {
    const window = windows.get(address);
    if (!window || window.endsAt <= now() || window.failures < maxFailures) return null;
    return Math.max(1, Math.ceil((window.endsAt - now()) / 1_000));
  }

  /** Failures of the minute under way. */
  function failuresOf(address: string): number {
    const window = windows.get(address);
    return window && window.endsAt > now() ? window.failures : 0;
  }

  function leave(address: string, own: LookUps): void {
    own.underWay -= 1;
    for (const wake of own.waiting.splice(0)) wake();
    if (own.underWay === 0 && own.waiting.length === 0) lookUps.delete(address);
  }

  function sweep(): void {
    timer = null;
    forget(({ endsAt }) => endsAt <= now());
    const [oldest] = windows.values();
    if (oldest) timer = setTimeout(sweep, Math.max(0, oldest.endsAt - now())).unref();
  }

  return {
    waitSeconds: (given) => waitSecondsOf(networkOf(given)),
    async enter(given) {
      const address = networkOf(given);
      for (;;) {
        if (waitSecondsOf(address) !== null) return null;
        const own = lookUps.get(address) ?? { underWay: 0, waiting: [] };
        if (failuresOf(address) + own.underWay < maxFailures) {
          lookUps.set(address, own);
          own.underWay += 1;
          return () => leave(address, own);
        }
        await new Promise<void>((resolve) => own.waiting.push(resolve));
      }
    },
    note(given, route) {
      const address = networkOf(given);
      const waitSeconds = waitSecondsOf(address);
      forget(({ endsAt }) => endsAt <= now());
      let window = windows.get(address);
      if (!window) {
        if (windows.size >= maxAddresses) forget(() => windows.size >= maxAddresses);
        window = { endsAt: now() + windowMs, failures: 0, routes: new Set(), told: 0 };
        windows.set(address, window);
      }
      window.failures += 1;
      if (window.routes.size < maxRoutes) window.routes.add(route);
      if (window.failures === maxFailures && window.told === 0) warn(address, window);
      timer ??= setTimeout(sweep, windowMs).unref();
      warnTimer ??= setTimeout(warnOfFew, warnAfterMs).unref();
      return waitSeconds;
    },
    stop() {
      if (timer) clearTimeout(timer);
      if (warnTimer) clearTimeout(warnTimer);
      forget(() => true);
    },
  };
}

function factOf(address: string, { failures, routes }: Window) {
  return { address, failures, routes: [...routes] };
}
