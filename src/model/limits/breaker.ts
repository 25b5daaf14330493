/**
 * A circuit breaker: keeps calls off a provider that fails every one of them, and finds out when it
 * is back.
 *
 *   closed  ten calls in a row fail, of ten different items  -> open
 *   open    nothing goes out; every five seconds there is one probe, any call that is waiting.
 *           Answered -> closed
 *
 * Only the first failure of an item counts: a few items that the provider cannot take, tried again
 * and again at the end of a batch, are no outage. An answer of any kind, also a refusal, proves
 * that the provider is there.
 *
 * Several processes find out for themselves. Each takes its share of the probes, so that all
 * together stay at one every five seconds; and every process asks at least once in twenty, so that
 * all are back half a minute after the provider.
 */
const failuresToOpen = 10;
const probeIntervalMs = 5_000;
const maxProbeIntervalMs = 20_000;
/** Probes of several processes drift apart by up to this part. */
const jitter = 0.2;

export interface Breaker {
  /** Null while it is closed. Times are of the caller's clock. */
  readonly outage: { since: number; nextProbeAt: number; message: string } | null;
  /** Calls that may go out at `now`: any number while closed, else one once a probe is due. */
  roomAt(now: number): number;
  /** The call that goes out now is the probe, where it is open. True where it is one. */
  start(now: number): boolean;
  /** An answer; `isProbe` as `start` said. True where that ends an outage. */
  answered(isProbe: boolean): boolean;
  /** A 5xx, timeout or reset; `isFirst` of its item. True where that begins an outage. */
  failed(now: number, failure: { isFirst: boolean; message: string }): boolean;
  /** The probe was not sent after all: the next call is it. */
  unsent(now: number, isProbe: boolean): void;
  /** The part of all probes that are this process's. */
  share(fraction: number): void;
}

export function createBreaker({ random }: { random: () => number }): Breaker {
  let outage: (Breaker['outage'] & object) | null = null;
  let failures = 0;
  let firstFailureAt = 0;
  let fraction = 1;

  const nextProbe = (now: number) =>
    now + Math.min(maxProbeIntervalMs, probeIntervalMs / fraction) * (1 + jitter * random());

  return {
    get outage() {
      return outage;
    },
    roomAt(now) {
      if (!outage) return Number.POSITIVE_INFINITY;
      return outage.nextProbeAt <= now ? 1 : 0;
    },
    start(now) {
      if (!outage) return false;
      outage.nextProbeAt = nextProbe(now);
      return true;
    },
    answered(isProbe) {
      failures = 0;
      if (!outage || !isProbe) return false;
      outage = null;
      return true;
    },
    failed(now, { isFirst, message }) {
      if (outage) {
        outage.message = message;
        return false;
      }
      if (!isFirst) return false;
      if (failures === 0) firstFailureAt = now;
      failures += 1;
      if (failures < failuresToOpen) return false;
      failures = 0;
      outage = { since: firstFailureAt, nextProbeAt: nextProbe(now), message };
      return true;
    },
    unsent(now, isProbe) {
      if (outage && isProbe) outage.nextProbeAt = now;
    },
    share(next) {
      fraction = next;
    },
  };
}
