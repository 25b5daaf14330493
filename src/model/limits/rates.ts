/**
 * Requests and tokens per minute of one model: as they were configured, as the provider's headers
 * tell them, and as its 429s teach them. A call may go out when all three allow it.
 *
 * A call takes what an average one needs when it gets its permit, and what its own request may need
 * when that goes out. The usage that comes back corrects it. So what is needed beyond the average
 * is overdrawn, and the next call waits for it.
 */
import { type AdaptiveRate, createAdaptiveRate } from './adaptive-rate.ts';
import { type Bucket, createBucket } from './bucket.ts';
import { createLearnedLimit, type LearnedShare } from './learned-limit.ts';
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
  /** Number of calls that may go out now, one after the other; infinite where no limit is known. */
  room(now: number): number;
  take(now: number): Spending;
  refused: AdaptiveRate['refused'];
  /**
   * The limits that the provider's headers name, for all processes together; null where unknown.
   */
  learned(now: number): LearnedRates;
  /** The part of all limits that this process takes, above 0 to 1. */
  share(now: number, fraction: number): void;
}

/** The part of the limits that one call spends. */
export interface Spending {
  /** A request goes out; the tokens that it may need are only asked for where they are limited. */
  begin(now: number, tokens: () => number): void;
  observe(now: number, headers: RateHeaders): void;
  /** Settles by the provider's own count. */
  settle(now: number, tokens: number): void;
  end(now: number, outcome: 'answered' | 'refused' | 'failed' | 'unsent'): void;
}

const minuteMs = 60_000;
/**
 * Calls that may go out at once after a pause, as a part of a minute: half a second's worth,
 * because providers enforce a limit per minute over seconds too. The rate is lower by as much, so
 * that no minute ever holds more than the limit.
 */
const burstPart = 1 / 120;
/** Weight of the latest call in the average. */
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

  /** The steps of a call, of all of them alike. */
  const book: Book = {
    begin(call, at, estimate) {
      call.begun += 1;
      if (call.begun > 1) {
        // Sent again without what was refused: one request more.
        requests?.take(at, 1);
        adaptive.take(at, 1);
      }
      if (call.begun === 1 && countsTokens(at)) {
        const needed = Math.min(estimate(), limits.tokensPerMinute ?? Number.POSITIVE_INFINITY);
        average ||= needed;
        correct(at, call, needed);
      }
      learnedRequests.send(at, call.ofRequests, call.begun);
      learnedTokens.send(at, call.ofTokens, call.tokens);
    },
    observe(call, at, headers) {
      call.told = headers;
      if (headers.requests) learnedRequests.learn(at, call.ofRequests, headers.requests);
      if (headers.tokens) learnedTokens.learn(at, call.ofTokens, headers.tokens);
    },
    settle(call, at, used) {
      correct(at, call, used);
      average = average === 0 ? used : average + (used - average) * averageWeight;
    },
    end(call, at, outcome) {
      if (outcome === 'unsent') {
        requests?.take(at, -1);
        adaptive.take(at, -1);
      }
      // A request that was refused for the rate costs no tokens.
      if (outcome === 'unsent' || outcome === 'refused') correct(at, call, 0);
      if (outcome === 'answered') {
        adaptive.answered(at);
        // Some servers tell of a limit in their 429s alone, and what they said then does not hold
        // for long.
        if (!call.told?.requests) learnedRequests.forget(call.ofRequests);
        if (!call.told?.tokens) learnedTokens.forget(call.ofTokens);
      }
      const fate = outcome === 'failed' ? 'ignored' : outcome;
      const requestsLie = learnedRequests.end(at, call.ofRequests, fate);
      const tokensLie = learnedTokens.end(at, call.ofTokens, fate);
      if (requestsLie || tokensLie) onDistrust();
    },
  };

  /** Corrects what is taken of the tokens by what is known better now. */
  function correct(now: number, call: CallSpending, next: number): void {
    tokens?.take(now, next - call.tokens);
    call.tokens = next;
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
      requests?.take(now, 1);
      tokens?.take(now, average);
      adaptive.take(now, 1);
      const ofRequests = learnedRequests.take(now, 1);
      const ofTokens = learnedTokens.take(now, average);
      return new CallSpending(book, { tokens: average, ofRequests, ofTokens });
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

interface Book {
  begin(call: CallSpending, at: number, estimate: () => number): void;
  observe(call: CallSpending, at: number, headers: RateHeaders): void;
  settle(call: CallSpending, at: number, used: number): void;
  end(call: CallSpending, at: number, outcome: Parameters<Spending['end']>[1]): void;
}

/** A class, because closures for each of a million calls cost more than their work. */
class CallSpending implements Spending {
  /** Tokens that were taken. */
  tokens: number;
  /** Requests that went out. */
  begun = 0;
  /** The limits that its answer told. */
  told: RateHeaders | null = null;
  readonly ofRequests: LearnedShare;
  readonly ofTokens: LearnedShare;
  private readonly book: Book;

  constructor(
    book: Book,
    { tokens, ofRequests, ofTokens }: Pick<CallSpending, 'tokens' | 'ofRequests' | 'ofTokens'>,
  ) {
    this.book = book;
    this.tokens = tokens;
    this.ofRequests = ofRequests;
    this.ofTokens = ofTokens;
  }

  begin(at: number, estimate: () => number): void {
    this.book.begin(this, at, estimate);
  }

  observe(at: number, headers: RateHeaders): void {
    this.book.observe(this, at, headers);
  }

  settle(at: number, used: number): void {
    this.book.settle(this, at, used);
  }

  end(at: number, outcome: Parameters<Spending['end']>[1]): void {
    this.book.end(this, at, outcome);
  }
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
