/** The number of requests that each owner may make in this process, of all faces together. */
import { type LimitUse, RateExceeded } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import type { Telling } from '../../telemetry/events.ts';

const minuteMs = 60_000;

export interface RequestRate {
  /** Counts a request. Throws RateExceeded, and counts nothing, where the minute is used up. */
  take(owner: string): void;
  /** The used part of the minute, and when one more fits. Null where nothing limits the owner. */
  use(owner: string): Omit<LimitUse, 'limit'> | null;
}

/** A bucket of a minute: what an owner has left, as of a time in milliseconds. */
interface Bucket {
  left: number;
  at: number;
}

export function createRequestRate({
  limitsOf,
  events,
  now = () => performance.now(),
}: {
  limitsOf(owner: string): Limits | null;
  events: Pick<Telling, 'emit'>;
  /** Milliseconds of a clock that never goes back. */
  now?: () => number;
}): RequestRate {
  const buckets = new Map<string, Bucket>();

  function bucketOf(owner: string, allowed: number): Bucket {
    const at = now();
    const bucket = buckets.get(owner) ?? { left: allowed, at };
    bucket.left = Math.min(allowed, bucket.left + ((at - bucket.at) * allowed) / minuteMs);
    bucket.at = at;
    buckets.set(owner, bucket);
    return bucket;
  }

  const allowedOf = (owner: string) => limitsOf(owner)?.requestsPerMinute ?? null;

  return {
    take(owner) {
      const allowed = allowedOf(owner);
      if (allowed === null) return;
      const bucket = bucketOf(owner, allowed);
      if (bucket.left < 1) {
        events.emit('request.refused', { reason: 'rate', owner });
        throw new RateExceeded(useOf(bucket, allowed), waitMsOf(bucket, allowed));
      }
      bucket.left -= 1;
    },
    use(owner) {
      const allowed = allowedOf(owner);
      return allowed === null ? null : useOf(bucketOf(owner, allowed), allowed);
    },
  };
}

function waitMsOf({ left }: Bucket, allowed: number): number {
  return (Math.max(0, 1 - left) * minuteMs) / allowed;
}

function useOf(bucket: Bucket, allowed: number): Omit<LimitUse, 'limit'> {
  const used = allowed - Math.floor(bucket.left);
  return { allowed, used, resetsAt: new Date(Date.now() + waitMsOf(bucket, allowed)) };
}
