/**
 * A limit per minute as a provider tells it in the headers of its answers, of requests or of
 * tokens.
 *
 * What remained is what remained when that request arrived: since then the provider has given back,
 * and others have gone out. So the reading is carried forward to now. This process takes its
 * fraction of it; what other processes leave, the next reading shows. The reset is the time until
 * all is there again, which tells how fast it is given back (also where the limit is one per day).
 *
 * Headers are a claim, not a fact, and some servers send the same zero for ever. So no claim holds
 * a call back for more than five seconds; where three calls were answered that the headers had
 * ruled out, the headers are not believed for ten minutes.
 */
import { rounding, timesTaken } from './bucket.ts';

const minuteMs = 60_000;
const maxWaitMs = 5_000;
const maxLies = 3;
const distrustMs = 600_000;
/** After a longer silence all of it is there again. */
const validMs = 60_000;

/** One limit as the headers have it. */
export interface LimitReading {
  /** Per window; above 0. */
  limit: number;
  /** 0 to `limit`. */
  remaining: number;
  /** Until all of it is there again; null where the headers do not say. */
  resetMs: number | null;
}

/** One call's part of a limit. */
export interface LearnedShare {
  amount: number;
  /** When it went out, and all that had been taken by then, itself included. */
  isSent: boolean;
  sentAt: number;
  takenUntil: number;
  /** The headers had ruled it out. */
  defiant: boolean;
}

export interface LearnedLimit {
  /** False where the headers have not named the limit, or are not believed. */
  isKnown(now: number): boolean;
  /** A minute's worth of all of it, as last named; null where it is unknown or not believed. */
  perMinute(now: number): number | null;
  /** When `amount` may be taken: `now` or later. */
  opensAt(now: number, amount: number): number;
  /** Number of times that `amount` may be taken now; infinite where it is unknown. */
  room(now: number, amount: number): number;
  take(now: number, amount: number): LearnedShare;
  /** Corrects what a call takes, now that it goes out. */
  send(now: number, share: LearnedShare, amount: number): void;
  /** Takes in what the answer to a call said. */
  learn(now: number, share: LearnedShare, reading: LimitReading): void;
  /** A call was answered without a word of this limit. */
  forget(share: LearnedShare): void;
  /** Settles the call by its end. True where the headers have just lost their credit. */
  end(
    now: number,
    share: LearnedShare,
    outcome: 'answered' | 'refused' | 'ignored' | 'unsent',
  ): boolean;
  /** Which part of the limit this process takes, above 0 to 1. */
  share(fraction: number): void;
}

export function createLearnedLimit(): LearnedLimit {
  let fraction = 1;
  let limit: number | null = null;
  let perMs = 0;
  let level = 0;
  let at = 0;
  let learnedAt = Number.NEGATIVE_INFINITY;
  let readingSentAt = Number.NEGATIVE_INFINITY;
  let taken = 0;
  /** Taken, and not sent yet. */
  let pending = 0;
  let lastSentAt = Number.NEGATIVE_INFINITY;
  let lies = 0;
  let distrustedUntil = Number.NEGATIVE_INFINITY;

  const isKnown = (now: number) =>
    limit !== null && now >= distrustedUntil && now - learnedAt < validMs;

  const mostAtOnce = () => Math.max(1, (limit ?? 0) * fraction);

  function refill(now: number): number {
    level = Math.min(mostAtOnce(), level + (now - at) * perMs * fraction);
    at = now;
    return level;
  }

  function missing(now: number, amount: number): number {
    return Math.min(amount, mostAtOnce()) - refill(now);
  }

  /** When `amount` may be taken of a known limit. */
  function opensAt(now: number, amount: number): number {
    const short = missing(now, amount);
    if (short <= rounding) return now;
    const waitMs = short / (perMs * fraction);
    if (waitMs <= maxWaitMs) return now + waitMs;
    return pending > 0 ? now + maxWaitMs : Math.max(now, lastSentAt + maxWaitMs);
  }

  function endPending(share: LearnedShare): void {
    if (!share.isSent) pending -= 1;
    share.isSent = true;
  }

  return {
    isKnown,
    perMinute(now) {
      if (limit === null || now < distrustedUntil) return null;
      // A limit per minute is given back about as fast; one per day is not.
      const flow = perMs * minuteMs;
      return Math.max(1, Math.round(flow * 2 < limit ? flow : limit));
    },
    opensAt(now, amount) {
      return isKnown(now) ? opensAt(now, amount) : now;
    },
    room(now, amount) {
      if (!isKnown(now)) return Number.POSITIVE_INFINITY;
      const times = timesTaken(refill(now), { amount, burst: mostAtOnce() });
      // A call in defiance of the headers goes out by itself.
      return times === 0 && opensAt(now, amount) <= now ? 1 : times;
    },
    take(now, amount) {
      const defiant = isKnown(now) && missing(now, amount) > rounding;
      taken += amount;
      pending += 1;
      level -= amount;
      return { amount, isSent: false, sentAt: now, takenUntil: taken, defiant };
    },
    send(now, share, amount) {
      endPending(share);
      lastSentAt = now;
      taken += amount - share.amount;
      level -= amount - share.amount;
      share.amount = amount;
      share.sentAt = now;
      share.takenUntil = taken;
    },
    learn(now, share, reading) {
      // Answers overtake each other; an older one knows less.
      if (now < distrustedUntil || share.sentAt < readingSentAt) return;
      learnedAt = now;
      readingSentAt = share.sentAt;
      const used = reading.limit - reading.remaining;
      limit = reading.limit;
      perMs = reading.resetMs && used > 0 ? used / reading.resetMs : limit / minuteMs;
      const remains = Math.min(limit, reading.remaining + perMs * (now - share.sentAt));
      level = remains * fraction - (taken - share.takenUntil);
      at = now;
    },
    forget(share) {
      if (share.sentAt >= readingSentAt) limit = null;
    },
    end(now, share, outcome) {
      endPending(share);
      if (outcome === 'unsent') {
        taken -= share.amount;
        level += share.amount;
        return false;
      }
      if (outcome === 'refused') lies = 0;
      else if (outcome === 'answered' && share.defiant) lies += 1;
      if (lies < maxLies) return false;
      lies = 0;
      distrustedUntil = now + distrustMs;
      limit = null;
      readingSentAt = Number.NEGATIVE_INFINITY;
      return true;
    },
    share(next) {
      fraction = next;
    },
  };
}
