/** A rate limiter, for its callers: the gate of a model, and its permits. Types only. */
import type { RateHeaders } from './rate-headers.ts';
import type { LearnedRates } from './rates.ts';

/**
 * A gate is shared by every call of a process to one provider and model. Synchronous calls wait in
 * a queue (`enter`); the worker asks without waiting (`tryEnter`), and is told by `onOpen` when to
 * ask again; so synchronous calls always go first.
 */
export interface Gate {
  /**
   * Number of calls that were given back as 'ok': tells a provider that is down from a bad item.
   */
  readonly answered: number;
  /**
   * Waits for a permit. Rejects with the signal's reason when aborted, and at once with a
   * ModelError of the kind `later` while the provider fails every call.
   */
  enter(signal: AbortSignal): Promise<Permit>;
  /** A permit if one is free now and nobody waits for it, else null. */
  tryEnter(): Permit | null;
  /** True where `tryEnter` would give a permit now. Takes none. */
  isOpen(): boolean;
  /** Number of permits that `tryEnter` would give now, one after the other, up to `atMost`. */
  room(atMost: number): number;
  /** Calls back when a permit may have become free. Returns the unsubscribe function. */
  onOpen(listener: () => void): () => void;
  /** Why no call goes out now, and until when; null where calls go out, at most a second apart. */
  blocked(): Blocked | null;
}

/**
 * Why a gate is closed:
 * - `failing`: the provider fails every call; the next one goes out at `until`, to see whether it
 *   is back.
 * - `rate_limited`: it said to slow down (a 429, or a Retry-After).
 * - `paced`: its requests or tokens per minute, as configured or as its headers tell them, are used
 *   up for now.
 */
export interface Blocked {
  reason: 'failing' | 'rate_limited' | 'paced';
  /** One sentence for people: the last failure as a ModelError words it, without keys or rows. */
  message: string;
  /** Since when, by the wall clock. */
  since: Date;
  /** When the next call may go out. */
  until: Date;
}

/** Given back exactly once, with the outcome the gate learns from. */
export interface Permit {
  /** Requests that went out under it so far. */
  readonly requests: number;
  /** A request goes out; `tokens` estimates its prompt and answer. For the adapter. */
  begin(tokens: () => number): void;
  /** Reads the provider's limits from the headers of an answer. For the adapter. */
  observe(headers: RateHeaders): void;
  /** The tokens that the provider counted. For the adapter. */
  settle(tokens: number): void;
  /**
   * - `ok`: an answer, good or bad. `refused`: an answer that says nothing of this item (key,
   *   quota, model).
   * - `rate_limited`: a 429. `failed`: a 5xx, a timeout, a reset; `failed_again` where the same
   *   item has failed so before.
   * - `aborted`: nothing came of it.
   */
  release(
    outcome: 'ok' | 'refused' | 'rate_limited' | 'failed' | 'failed_again' | 'aborted',
    reason?: { retryAfterMs?: number | null; message?: string },
  ): void;
}

/**
 * - `outage`: every call fails, `message` being the last failure; one call in some seconds goes on.
 * - `recovery`: a call was answered again.
 * - `distrust`: the rate limits in the provider's headers are not what it does; they are left aside
 *   for ten minutes.
 */
export type GateEvent =
  | { kind: 'outage'; message: string }
  | { kind: 'recovery'; afterMs: number }
  | { kind: 'distrust' };

/** The state of a gate. Times are of its clock; null before the first. */
export interface GateState extends LearnedRates {
  inFlight: number;
  calledAt: number | null;
  answeredAt: number | null;
  /** Since when every call fails; null while calls are answered. */
  failingSince: number | null;
  now: number;
}

/** A gate that its owner can tell how much of the provider is this process's. */
export interface SharedGate extends Gate {
  /** This process's part of the limits and probes, above 0 to 1. Room is each process's own. */
  share(fraction: number): void;
  state(): GateState;
}
