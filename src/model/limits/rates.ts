/**
 * Requests and tokens per minute of one model: as they were configured, as the provider's headers
 * tell them, and as its 429s teach them. A call may go out when all three allow it.
 *
 * A call takes what an average one needs when it gets its permit, what its own request may need
 * when that goes out, and is corrected by the usage that comes back. So what is needed beyond the
 * average is overdrawn, and the next call waits for it.
 */
import { type AdaptiveRate, createAdaptiveRate } from './adaptive-rate.ts';
import { type Bucket, createBucket } from './bucket.ts';
import { createLearnedLimit } from './learned-limit.ts';
import type { RateHeaders } from './rate-headers.ts';

/** Configured limits of a model, for all processes together; undefined without one. */
export interface RateLimits {
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
}

/** Limits per minute as headers have told them. */
export interface LearnedRates {
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
}

export interface Rates {
  /** When the next call may go out: `now` or later. */
  opensAt(now: number): number;
  /** How many calls may go out now, one after the other; infinite where no limit is known. */
  room(now: number): number;
  take(now: number): Spending;
  refused: AdaptiveRate['refused'];
  /** What the provider's headers say of it, for all processes together; null where unknown. */
  learned(now: number): LearnedRates;
  /** The part of all limits that this process takes, above 0 to 1. */
  share(now: number, fraction: number): void;
}

/** What one call spends. */
export interface Spending {
  /** A request goes out; the tokens that it may need are only asked for where they are limited. */
  begin(now: number, tokens: () => number): void;
  observe(now: number, headers: RateHeaders): void;
  /** What the provider counted in the end. */
  settle(now: number, tokens: number): void;
  end(now: number, outcome: 'answered' | 'refused' | 'failed' | 'unsent'): void;
}

const minuteMs = 60_000;
/**
 * What may go out at once after a pause, as a part of a minute: half a second's worth, because
 * providers enforce a limit per minute over seconds too. The rate is lower by as much, so that no
 * minute ever holds more than the limit.
 */
const burstPart = 1 / 120;
/** How much of the average is the latest call. */
const averageWeight = 0.1;

/** `onDistrust` is told where the provider contradicts its headers, which are left aside then. */
export function createRates({
  limits,
  onDistrust,
}: {
  limits: RateLimits;
  onDistrust: () => void;
}): Rates {
  const requests = createMinuteBucket(limits.requestsPerMinute);
  const tokens = createMinuteBucket(limits.tokensPerMinute);
  const learnedRequests = createLearnedLimit();
  const learnedTokens = createLearnedLimit();
  const adaptive = createAdaptiveRate();
  /** Tokens of an average call. */
  let average = 0;

  const countsTokens = (now: number) => tokens !== null || learnedTokens.isKnown(now);

  /** Corrects what is taken of the tokens by what is known better now. */
  function correct(now: number, spent: { tokens: number }, next: number): void {
    tokens?.take(now, next - spent.tokens);
    spent.tokens = next;
  }

  return {
    opensAt(now) {
      return Math.max(
        requests?.opensAt(now, 1) ?? now,
        tokens?.opensAt(now, average) ?? now,
        learnedRequests.opensAt(now, 1),
        learnedTokens.opensAt(now, average),
        adaptive.opensAt(now),
      );
    },
    room(now) {
      return Math.min(
        requests?.room(now, 1) ?? Number.POSITIVE_INFINITY,
        tokens?.room(now, average) ?? Number.POSITIVE_INFINITY,
        learnedRequests.room(now, 1),
        learnedTokens.room(now, average),
        adaptive.room(now),
      );
    },
    take(now) {
      const spent = { tokens: average };
      requests?.take(now, 1);
      tokens?.take(now, average);
      adaptive.take(now, 1);
      const ofRequests = learnedRequests.take(now, 1);
      const ofTokens = learnedTokens.take(now, average);
      let begun = 0;
      let told: RateHeaders | null = null;
      return {
        begin(at, estimate) {
          begun += 1;
          if (begun > 1) {
            // Sent again without what was refused: one request more.
            requests?.take(at, 1);
            adaptive.take(at, 1);
          }
          if (begun === 1 && countsTokens(at)) {
            const needed = Math.min(estimate(), limits.tokensPerMinute ?? Number.POSITIVE_INFINITY);
            average ||= needed;
            correct(at, spent, needed);
          }
          learnedRequests.send(at, ofRequests, begun);
          learnedTokens.send(at, ofTokens, spent.tokens);
        },
        observe(at, headers) {
          told = headers;
          if (headers.requests) learnedRequests.learn(at, ofRequests, headers.requests);
          if (headers.tokens) learnedTokens.learn(at, ofTokens, headers.tokens);
        },
        settle(at, used) {
          correct(at, spent, used);
          average = average === 0 ? used : average + (used - average) * averageWeight;
        },
        end(at, outcome) {
          if (outcome === 'unsent') {
            requests?.take(at, -1);
            adaptive.take(at, -1);
          }
          // A request that was refused for the rate costs no tokens.
          if (outcome === 'unsent' || outcome === 'refused') correct(at, spent, 0);
          if (outcome === 'answered') {
            adaptive.answered(at);
            // Some servers tell of a limit in their 429s alone, and what they said then does not
            // hold for long.
            if (!told?.requests) learnedRequests.forget(ofRequests);
            if (!told?.tokens) learnedTokens.forget(ofTokens);
          }
          const fate = outcome === 'failed' ? 'ignored' : outcome;
          const lies = [
            learnedRequests.end(at, ofRequests, fate),
            learnedTokens.end(at, ofTokens, fate),
          ];
          if (lies.includes(true)) onDistrust();
        },
      };
    },
    refused: adaptive.refused,
    learned: (now) => ({
      requestsPerMinute: learnedRequests.perMinute(now),
      tokensPerMinute: learnedTokens.perMinute(now),
    }),
    share(now, fraction) {
      requests?.share(now, fraction);
      tokens?.share(now, fraction);
      learnedRequests.share(fraction);
      learnedTokens.share(fraction);
    },
  };
}

interface MinuteBucket extends Pick<Bucket, 'opensAt' | 'room' | 'take'> {
  share(now: number, fraction: number): void;
}

function createMinuteBucket(perMinute: number | undefined): MinuteBucket | null {
  if (perMinute === undefined) return null;
  const flow = (fraction: number) => {
    const amount = perMinute * fraction;
    const burst = Math.max(1, amount * burstPart);
    return { burst, perMs: (amount - (burst - 1)) / minuteMs };
  };
  const bucket = createBucket(flow(1));
  return {
    opensAt: bucket.opensAt,
    room: bucket.room,
    take: bucket.take,
    share: (now, fraction) => bucket.set(now, flow(fraction)),
  };
}
