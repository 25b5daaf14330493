/** Every way in which a provider fails, on demand: what tests drive the sandbox with. */
import { createRandom } from '../wire/random.ts';

/** Faults in the content of a good answer; the request itself must be valid. */
export type ContentFault =
  /** Half the answer, finish_reason length. */
  | { kind: 'truncated' }
  /** finish_reason stop and broken JSON. Absent: the good answer without its last character. */
  | { kind: 'invalid_json'; content?: string }
  | { kind: 'refusal'; message?: string }
  | { kind: 'content_filter' }
  /** The first chosen value is replaced by a value outside the categories. */
  | { kind: 'wrong_category'; value?: string }
  /** Any content, finish_reason stop. */
  | { kind: 'content'; content: string };

/** Faults before or instead of an answer. */
export type TransportFault =
  | RateLimitedFault
  | StatusFault
  /**
   * Hangs before the headers, or in the middle of the body, until the client gives up or the
   * sandbox closes.
   */
  | { kind: 'stall'; at: 'headers' | 'body' }
  /** The connection is reset: before an answer, or in the middle of the body. */
  | { kind: 'drop'; at: 'headers' | 'body' }
  | RawFault;

/** A 429 that passes. */
export interface RateLimitedFault {
  kind: 'rate_limited';
  /**
   * Retry-After as it is sent: seconds ("2", "0.5"), an HTTP date, nonsense. Null: no header.
   * Absent: one second.
   */
  retryAfter?: string | number | Date | null;
  /** The header `retry-after-ms`, which OpenAI's own client reads first. */
  retryAfterMs?: number;
  /** Further headers, such as `x-ratelimit-reset-requests`. */
  headers?: Record<string, string>;
}

export interface StatusFault {
  kind: 'status';
  status: number;
  code?: string | null;
  type?: string;
  message?: string;
  param?: string | null;
  headers?: Record<string, string>;
  /** `body`: as an event in the middle of a stream, whose status is 200. Absent: `headers`. */
  at?: 'headers' | 'body';
}

/** Any answer: a proxy's HTML page, an empty body, a 200 without a completion. */
interface RawFault {
  kind: 'raw';
  status?: number;
  contentType?: string | null;
  body?: string;
  headers?: Record<string, string>;
}

/** Waits, then answers as if nothing had been. Adds to other faults. */
export type LatencyFault =
  | { kind: 'latency'; ms: number }
  /**
   * Log-normal: half the answers come before `medianMs`, and `sigma` 0.5 is a usual spread. The
   * same seed makes the same delays.
   */
  | { kind: 'latency'; medianMs: number; sigma: number; seed?: number };

export type Fault = ContentFault | TransportFault | LatencyFault;

/** A request as `when` sees it. */
export interface FaultRequest {
  /** The parsed body; null if it was no JSON. */
  body: unknown;
  /** The text of the last message. */
  text: string;
  /** Number of the live request in this sandbox, or of the row in its batch, from 1. */
  number: number;
  /** The batch whose row this is; null for a live request. */
  batchId: string | null;
}

export type Faults = FaultList<Fault, FaultRequest>;

/** One entry of a list of faults. `R` is what the rule judges: a request, a call, a new batch. */
interface Rule<F, R> {
  fault: F;
  /** Picks requests. Absent: all. */
  when?: (request: R) => boolean;
  /** Number of times at most. */
  times?: number;
  /** Only each n-th of the requests that `when` picks: the n-th, the 2n-th … */
  every?: number;
}

export interface FaultList<F, R> {
  /**
   * Rules are tried in the order in which they were added; the first that fits decides. Returns a
   * function that removes the rule.
   */
  add(rule: Rule<F, R>): () => void;
  clear(): void;
}

interface Fate<F> {
  latencyMs: number;
  fault: Exclude<F, LatencyFault> | null;
}

export interface FaultRegistry<F, R> extends FaultList<F, R> {
  /** Decides over a request, and counts it. */
  decide(request: R): Fate<F>;
}

interface ActiveRule<F, R> {
  rule: Rule<F, R>;
  seen: number;
  done: number;
  delay: (() => number) | null;
}

export function createFaults<F extends { kind: string }, R>(): FaultRegistry<F, R> {
  let active: ActiveRule<F, R>[] = [];
  return {
    add(rule) {
      const one = { rule, seen: 0, done: 0, delay: delays(rule.fault) };
      active.push(one);
      return () => {
        active = active.filter((other) => other !== one);
      };
    },
    clear() {
      active = [];
    },
    decide(request) {
      const fate: Fate<F> = { latencyMs: 0, fault: null };
      for (const one of active) {
        const { fault, when, times = Number.POSITIVE_INFINITY, every = 1 } = one.rule;
        if (one.done >= times || (!one.delay && fate.fault)) continue;
        if (when && !when(request)) continue;
        one.seen++;
        if (one.seen % every !== 0) continue;
        one.done++;
        if (one.delay) fate.latencyMs += one.delay();
        else fate.fault = fault as Exclude<F, LatencyFault>;
      }
      return fate;
    },
  };
}

export type Delay = number | { medianMs: number; sigma: number; seed?: number };

/** The delays that a latency stands for, one a call. */
export function createDelays(delay: Delay): () => number {
  if (typeof delay === 'number') return () => delay;
  const random = createRandom(delay.seed ?? 1);
  return () => delay.medianMs * Math.exp(delay.sigma * random.normal());
}

/** Null for every fault but a latency. */
function delays(fault: { kind: string }): (() => number) | null {
  if (fault.kind !== 'latency') return null;
  const latency = fault as LatencyFault;
  return createDelays('ms' in latency ? latency.ms : latency);
}

export function isContentFault(fault: ContentFault | TransportFault): fault is ContentFault {
  switch (fault.kind) {
    case 'truncated':
    case 'invalid_json':
    case 'refusal':
    case 'content_filter':
    case 'wrong_category':
    case 'content':
      return true;
    case 'rate_limited':
    case 'status':
    case 'stall':
    case 'drop':
    case 'raw':
      return false;
    default: {
      const never: never = fault;
      throw new TypeError(String(never));
    }
  }
}
