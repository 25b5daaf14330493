/** Every way in which a provider fails, on demand: what tests drive the sandbox with. */
import { createRandom } from './random.ts';

/** Faults in the content of a good answer; the request itself must be valid. */
export type ContentFault =
  /** Half the answer, finish_reason length. */
  | { kind: 'truncated' }
  /** finish_reason stop, but the content is no JSON (the good answer without its last character, if none is given). */
  | { kind: 'invalid_json'; content?: string }
  | { kind: 'refusal'; message?: string }
  | { kind: 'content_filter' }
  /** The first chosen value is replaced by one that is not among the categories. */
  | { kind: 'wrong_category'; value?: string }
  /** Any content, finish_reason stop. */
  | { kind: 'content'; content: string };

/** Faults before or instead of an answer. */
export type TransportFault =
  | RateLimitedFault
  | StatusFault
  /** Never ends: before the headers, or in the middle of the body. Ends when the client gives up or the sandbox closes. */
  | { kind: 'stall'; at: 'headers' | 'body' }
  /** The connection is reset: before an answer, or in the middle of the body. */
  | { kind: 'drop'; at: 'headers' | 'body' }
  | RawFault;

/** A 429 that passes. */
export interface RateLimitedFault {
  kind: 'rate_limited';
  /** Retry-After as it is sent: seconds ("2", "0.5"), an HTTP date, nonsense; null for none. One second when absent. */
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
}

/** Anything: a proxy's HTML page, an empty body, a 200 that is no completion. */
export interface RawFault {
  kind: 'raw';
  status?: number;
  contentType?: string | null;
  body?: string;
  headers?: Record<string, string>;
}

/** Waits, then answers as if nothing had been. Adds to other faults. */
export type LatencyFault =
  | { kind: 'latency'; ms: number }
  /** Log-normal: half the answers come before `medianMs`; `sigma` 0.5 is a usual spread. Same seed, same delays. */
  | { kind: 'latency'; medianMs: number; sigma: number; seed?: number };

export type Fault = ContentFault | TransportFault | LatencyFault;

/** A request as `when` sees it. */
export interface FaultRequest {
  /** The parsed body; null if it was no JSON. */
  body: unknown;
  /** The text of the last message. */
  text: string;
  /** Which request of this sandbox it is, from 1. */
  number: number;
}

export interface FaultRule {
  fault: Fault;
  /** Which requests; all when absent. */
  when?: (request: FaultRequest) => boolean;
  /** How often at most. */
  times?: number;
  /** Only each n-th of the requests that `when` picks: the n-th, the 2n-th … */
  every?: number;
}

export interface Faults {
  /** Rules are tried in the order in which they were added; the first that fits decides. Returns how to take it back. */
  add(rule: FaultRule): () => void;
  clear(): void;
}

export interface Fate {
  latencyMs: number;
  fault: ContentFault | TransportFault | null;
}

export interface FaultRegistry extends Faults {
  /** What becomes of a request. Counts it. */
  decide(request: FaultRequest): Fate;
  readonly empty: boolean;
}

interface ActiveRule {
  rule: FaultRule;
  seen: number;
  done: number;
  delay: () => number;
}

export function createFaults(): FaultRegistry {
  let active: ActiveRule[] = [];
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
    get empty() {
      return active.length === 0;
    },
    decide(request) {
      const fate: Fate = { latencyMs: 0, fault: null };
      for (const one of active) {
        const { fault, when, times = Number.POSITIVE_INFINITY, every = 1 } = one.rule;
        if (one.done >= times || (fault.kind !== 'latency' && fate.fault)) continue;
        if (when && !when(request)) continue;
        one.seen++;
        if (one.seen % every !== 0) continue;
        one.done++;
        if (fault.kind === 'latency') fate.latencyMs += one.delay();
        else fate.fault = fault;
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

function delays(fault: Fault): () => number {
  if (fault.kind !== 'latency') return () => 0;
  return createDelays('ms' in fault ? fault.ms : fault);
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
