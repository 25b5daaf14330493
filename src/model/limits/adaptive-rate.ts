/**
 * Calls per millisecond that a provider takes which says nothing of its limits, learned from its
 * 429s alone.
 *
 * Without a 429 there is no limit. After one the rate falls to 0.85 of what was being answered, or
 * to 0.7 where the last 429 is hardly over. It comes back along a cubic curve, as TCP CUBIC has it
 * (RFC 9438, 4.2): quickly to near the rate that was too much, slowly past it, then ever faster. So
 * little is lost below a limit that stands, little is refused, and one that rose fivefold is found
 * in half a minute. A limit on calls in flight alone cannot do this: where answers are fast, one
 * call more or less is many a second.
 */
import { createBucket } from './bucket.ts';

const decrease = 0.8;
const steepDecrease = 0.7;
const steepWithinMs = 2_000;
/** The curve is back at the 429 after this long, or after 60 calls where those take longer. */
const plateauMs = 6_000;
const plateauCalls = 60;
const maxPlateauMs = 20_000;
/** Past twice the plateau nothing is left of the old limit, and the curve steepens. */
const haste = 16;
/** Three calls a minute: a provider that allows less says so in its 429s. */
const minPerMs = 0.05 / 1_000;
/** Answers are counted over about this long. */
const memoryMs = 2_000;
const minAgeMs = 1_000;
/** Calls that may go out at once after a pause, as time at the present rate. */
const burstMs = 1_000;
/** Fewer answers than this since the last 429 measure nothing. */
const minAnswers = 5;

/**
 * Far below the rate that was too much, a 429 means that the limit fell only where this part of all
 * calls is refused. Else it is a stray (a limit on something else, another's burst), which the
 * limit on calls in flight answers; after some of them the rate is given up.
 */
const overloadPart = 0.15;
const countedCalls = 32;
const nearPeak = 0.95;
const maxStrays = 5;

export interface AdaptiveRate {
  /** When the next call may go out: `now` or later. */
  opensAt(now: number): number;
  /** Number of calls that may go out now, one after the other; infinite where it knows no limit. */
  room(now: number): number;
  /** Takes the place of one call, or gives it back with -1. */
  take(now: number, calls: 1 | -1): void;
  answered(now: number): void;
  /**
   * A 429. An echo is one of a call that went out before an earlier 429 was heard: it counts, and
   * cuts nothing. `guessPerMs` is the rate to try where too few calls were answered to measure one.
   */
  refused(now: number, options: { isEcho: boolean; guessPerMs: number }): void;
}

export function createAdaptiveRate(): AdaptiveRate {
  const bucket = createBucket({ perMs: 1, burst: 1 });
  /** The rate that was too much; null where none is known. */
  let peakPerMs: number | null = null;
  let factor = decrease;
  let cutAt = Number.NEGATIVE_INFINITY;
  let answersSinceCut = 0;
  /** Refused part of about the last 32 calls; of all calls while there are fewer. */
  let refusedPart = 0;
  let calls = 0;
  let strays = 0;
  // Past answers, each weighing less as time passes.
  let answers = 0;
  let countedAt = Number.NEGATIVE_INFINITY;
  let countedSince: number | null = null;

  function perMs(now: number): number | null {
    if (peakPerMs === null) return null;
    const plateau = Math.min(maxPlateauMs, Math.max(plateauMs, plateauCalls / peakPerMs));
    const offset = (now - cutAt - plateau) / plateau;
    const growth = offset ** 3 + haste * Math.max(0, offset - 1) ** 3;
    return peakPerMs * (1 + (1 - factor) * growth);
  }

  function countCall(refused: 0 | 1): void {
    calls = Math.min(countedCalls, calls + 1);
    refusedPart += (refused - refusedPart) / calls;
  }

  function observedPerMs(): number {
    const age = countedAt - (countedSince ?? countedAt);
    // A young average has not seen a whole memory's worth of time; a very young one has seen a
    // burst.
    return answers / (memoryMs * (1 - Math.exp(-Math.max(age, minAgeMs) / memoryMs)));
  }

  function adjust(now: number): void {
    const rate = perMs(now);
    if (rate !== null) bucket.set(now, { perMs: rate, burst: Math.max(1, rate * burstMs) });
  }

  return {
    opensAt(now) {
      if (peakPerMs === null) return now;
      adjust(now);
      return bucket.opensAt(now, 1);
    },
    room(now) {
      if (peakPerMs === null) return Number.POSITIVE_INFINITY;
      adjust(now);
      return bucket.room(now, 1);
    },
    take(now, calls) {
      if (peakPerMs !== null) bucket.take(now, calls);
    },
    answered(now) {
      answersSinceCut += 1;
      countCall(0);
      countedSince ??= now;
      answers = answers * Math.exp(-(now - countedAt) / memoryMs) + 1;
      countedAt = now;
    },
    refused(now, { isEcho, guessPerMs }) {
      countCall(1);
      if (isEcho) return;
      const present = perMs(now);
      // Nothing was answered at the present rate yet: there is nothing to learn about it, and the
      // gate's own pauses do.
      if (present !== null && answersSinceCut === 0) return;
      const isKnownLimit =
        peakPerMs !== null && present !== null && present >= nearPeak * peakPerMs;
      if (!isKnownLimit && refusedPart < overloadPart) {
        strays += 1;
        if (strays >= maxStrays) peakPerMs = null;
        return;
      }
      strays = 0;
      factor = now - cutAt < steepWithinMs ? steepDecrease : decrease;
      const tooMuch =
        answersSinceCut >= minAnswers
          ? Math.min(present ?? Number.POSITIVE_INFINITY, observedPerMs())
          : (present ?? guessPerMs);
      peakPerMs = Math.max(minPerMs, tooMuch);
      cutAt = now;
      answersSinceCut = 0;
      const rate = peakPerMs * factor;
      bucket.set(now, { perMs: rate, burst: Math.max(1, rate * burstMs), level: 0 });
    },
  };
}
