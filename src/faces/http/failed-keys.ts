/** Keys that fail, by address: counted, told of once a minute, and from the 20th on held off. */
import type { Log } from '../../core/log.ts';
import { networkOf } from './client-address.ts';

const windowMs = 60_000;
/** From the next one on a key is not looked up. */
export const maxFailures = 20;
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
  isTold: boolean;
}

export interface FailedKeys {
  /** Seconds until an address is judged again; null where it is judged. */
  waitSeconds(address: string): number | null;
  note(address: string, route: string): void;
  /** Tells what is not told yet. */
  stop(): void;
}

/** `now` is in milliseconds. */
export function createFailedKeys({
  log,
  now = () => performance.now(),
}: {
  log: Pick<Log, 'warn'>;
  now?: () => number;
}): FailedKeys {
  /** The oldest first. */
  const windows = new Map<string, Window>();
  let warnings = { since: Number.NEGATIVE_INFINITY, count: 0 };
  let timer: NodeJS.Timeout | null = null;

  function tell(address: string, window: Window): void {
    if (window.isTold) return;
    window.isTold = true;
    if (now() - warnings.since >= windowMs) warnings = { since: now(), count: 0 };
    warnings.count += 1;
    if (warnings.count > maxWarnings) return;
    const { failures, routes } = window;
    log.warn(
      { address, failures, routes: [...routes] },
      'requests without a right key came from an address',
    );
  }

  function forget(isOver: (window: Window) => boolean): void {
    for (const [address, window] of windows) {
      if (!isOver(window)) break;
      windows.delete(address);
      tell(address, window);
    }
  }

  function sweep(): void {
    timer = null;
    forget(({ endsAt }) => endsAt <= now());
    const [oldest] = windows.values();
    if (oldest) timer = setTimeout(sweep, Math.max(0, oldest.endsAt - now())).unref();
  }

  return {
    waitSeconds(given) {
      const window = windows.get(networkOf(given));
      if (!window || window.endsAt <= now() || window.failures < maxFailures) return null;
      return Math.max(1, Math.ceil((window.endsAt - now()) / 1_000));
    },
    note(given, route) {
      const address = networkOf(given);
      forget(({ endsAt }) => endsAt <= now());
      let window = windows.get(address);
      if (!window) {
        if (windows.size >= maxAddresses) forget(() => windows.size >= maxAddresses);
        window = { endsAt: now() + windowMs, failures: 0, routes: new Set(), isTold: false };
        windows.set(address, window);
      }
      window.failures += 1;
      if (window.routes.size < maxRoutes) window.routes.add(route);
      if (window.failures === maxFailures) tell(address, window);
      timer ??= setTimeout(sweep, windowMs).unref();
    },
    stop() {
      if (timer) clearTimeout(timer);
      forget(() => true);
    },
  };
}
