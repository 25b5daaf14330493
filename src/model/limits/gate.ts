/**
 * The turnstile in front of one model of one provider. Every call passes it, and it lets one
 * through when
 *
 *   room     fewer calls are in flight than the provider bears (concurrency.ts)
 *   rates    the requests and tokens per minute allow it (rates.ts)
 *   pause    no Retry-After, and no backoff after a 429 without one, is under way: it holds for
 *            every call
 *   breaker  the provider has not just failed every call; while it does, one call in five
 *            seconds is let through (breaker.ts)
 *
 * Who waits, and who is served first, is queue.ts.
 */

import { ModelError } from '../model-error.ts';
import { createBreaker } from './breaker.ts';
import { type Clock, systemClock } from './clock.ts';
import { createConcurrency } from './concurrency.ts';
import { IssuedPermit, type Issuer, type Outcome, type ReleaseReason } from './issued-permit.ts';
import type { Blocked, GateEvent, Permit, SharedGate } from './permit.ts';
import { createQueue } from './queue.ts';
import { createRates, type RateLimits } from './rates.ts';

/**
 * Backoff of the first 429 without Retry-After; doubled per decrease in a row, drawn from the upper
 * half of its window.
 */
const backoffMs = 500;
const maxBackoffMs = 8_000;
/** A server that says "0 s" with every 429 must not be asked in a tight loop. */
const minPauseMs = 50;
/**
 * After a 429 before anything is known, what may be in flight goes out twice a second, and no less
 * than this.
 */
const minGuessPerSecond = 64;
/** A wait for the rates that is shorter is pacing, and nothing to tell of. */
const minHoldMs = 1_000;

export interface GateOptions extends RateLimits {
  /** Named in messages, e.g. `openai/gpt-4.1-mini`. */
  id?: string;
  /** The ceiling: calls in flight at once, synchronous and batch together. At least 1. */
  maxConcurrency: number;
  clock?: Clock;
  /** Draws from [0, 1). */
  random?: () => number;
  /** Told of what the operator should know. */
  onEvent?: (event: GateEvent) => void;
}

/** An open gate with room for `maxConcurrency` calls. */
export function createGate({
  id = 'the provider',
  maxConcurrency,
  requestsPerMinute,
  tokensPerMinute,
  clock = systemClock,
  random = Math.random,
  onEvent = () => undefined,
}: GateOptions): SharedGate {
  const { now } = clock;
  const concurrency = createConcurrency(maxConcurrency);
  const rates = createRates({
    limits: { requestsPerMinute, tokensPerMinute },
    onDistrust: () => onEvent({ kind: 'distrust' }),
  });
  const breaker = createBreaker({ random });
  let inFlight = 0;
  let calledAt: number | null = null;
  let answeredAt: number | null = null;
  let answered = 0;
  let decreasesInARow = 0;
  let pause = { since: 0, until: Number.NEGATIVE_INFINITY, message: '' };

  const queue = createQueue(
    {
      hasRoom: () => inFlight < concurrency.places,
      opensAt,
      issue,
      // Nobody who can give up is made to wait for the end of an outage.
      refusal: () => (breaker.outage ? outageError(breaker.outage) : null),
    },
    clock,
  );

  /** When time alone lets the next call through: `at` or later. */
  function opensAt(at: number): number {
    return Math.max(pause.until, breaker.outage?.nextProbeAt ?? at, rates.opensAt(at));
  }

  /** The part of the gate that permits use: one object for all of them. */
  const issuer: Issuer = {
    now,
    ended(permit, outcome, reason) {
      learn(permit, outcome, reason);
      inFlight -= 1;
      queue.serve();
    },
  };

  /** No function is made in here: every call comes through. */
  function issue(): Permit {
    const enteredAt = now();
    const { generation } = concurrency;
    const isProbe = breaker.start(enteredAt);
    const spending = rates.take(enteredAt);
    calledAt = enteredAt;
    inFlight += 1;
    concurrency.started(inFlight);
    return new IssuedPermit(issuer, { generation, isProbe, spending });
  }

  function learn(call: IssuedPermit, outcome: Outcome, reason: ReleaseReason): void {
    const at = now();
    const { generation, isProbe, spending } = call;
    const { retryAfterMs = null, message = '' } = reason;
    switch (outcome) {
      case 'ok':
      case 'refused':
        spending.end(at, outcome === 'ok' ? 'answered' : 'failed');
        if (outcome === 'ok') {
          answered += 1;
          if (generation === concurrency.generation) decreasesInARow = 0;
          concurrency.succeeded(generation, inFlight);
        }
        foundAnswering(at, isProbe);
        return;
      case 'rate_limited': {
        spending.end(at, 'refused');
        foundAnswering(at, isProbe);
        const isNew = concurrency.rateLimited(generation);
        if (isNew) decreasesInARow += 1;
        rates.refused(at, {
          isEcho: !isNew,
          guessPerMs: Math.max(minGuessPerSecond, 2 * concurrency.places) / 1_000,
        });
        if (retryAfterMs !== null) pauseFor(Math.max(minPauseMs, retryAfterMs), message);
        else if (isNew) pauseFor(backoff(), message);
        return;
      }
      case 'failed':
      case 'failed_again':
        spending.end(at, 'failed');
        if (retryAfterMs !== null) pauseFor(retryAfterMs, message);
        if (breaker.failed(at, { isFirst: outcome === 'failed', message }) && breaker.outage) {
          onEvent({ kind: 'outage', message });
          queue.refuseAll(outageError(breaker.outage));
        }
        return;
      case 'aborted':
        spending.end(at, call.requests === 0 ? 'unsent' : 'failed');
        if (call.requests === 0) breaker.unsent(at, isProbe);
        return;
      default:
        outcome satisfies never;
    }
  }

  function foundAnswering(at: number, isProbe: boolean): void {
    answeredAt = at;
    const since = breaker.outage?.since ?? at;
    if (!breaker.answered(isProbe)) return;
    concurrency.restart();
    onEvent({ kind: 'recovery', afterMs: at - since });
  }

  function room(atMost: number): number {
    const left = Math.min(atMost, roomAt(now()) - queue.waiting());
    if (left > 0) return left;
    // A caller that hears that the gate is closed waits for its opening.
    queue.watch();
    return 0;
  }

  function roomAt(at: number): number {
    if (pause.until > at) return 0;
    const byBreaker = breaker.roomAt(at);
    return Math.min(concurrency.places - inFlight, byBreaker, rates.room(at));
  }

  function backoff(): number {
    const windowMs = Math.min(maxBackoffMs, backoffMs * 2 ** (decreasesInARow - 1));
    return windowMs * (0.5 + random() / 2);
  }

  function pauseFor(delayMs: number, message: string): void {
    const since = now();
    if (since + delayMs > pause.until) pause = { since, until: since + delayMs, message };
  }

  function outageError({ since, message }: { since: number; message: string }): ModelError {
    const at = now();
    const waitMs = opensAt(at) - at;
    return new ModelError(
      { kind: 'later', code: 'PROVIDER_ERROR', retryAfterMs: Math.ceil(waitMs), counts: false },
      `Nothing was sent, because ${id} has failed every call for ${seconds(at - since)}; the next try is in ${seconds(waitMs)}. The last failure: ${message}`,
    );
  }

  function blocked(): Blocked | null {
    const at = now();
    const until = opensAt(at);
    if (breaker.outage) return describe('failing', { ...breaker.outage, until });
    if (pause.until > at) return describe('rate_limited', { ...pause, until });
    if (until - at < minHoldMs) return null;
    const message = `${id} has a rate limit, and what it allows for now is used up.`;
    return describe('paced', { since: at, until, message });
  }

  function describe(
    reason: Blocked['reason'],
    { since, until, message }: { since: number; until: number; message: string },
  ): Blocked {
    const wallClock = (time: number) => new Date(Date.now() + time - now());
    return { reason, message, since: wallClock(since), until: wallClock(Math.max(until, now())) };
  }

  return {
    get answered() {
      return answered;
    },
    blocked,
    isOpen: () => room(1) > 0,
    enter: queue.enter,
    tryEnter: queue.tryEnter,
    room,
    onOpen: queue.onOpen,
    state: () => ({
      inFlight,
      calledAt,
      answeredAt,
      failingSince: breaker.outage?.since ?? null,
      now: now(),
      ...rates.learned(now()),
    }),
    share(fraction) {
      rates.share(now(), fraction);
      breaker.share(fraction);
      queue.serve();
    },
  };
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`;
}
