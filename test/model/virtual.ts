/**
 * Time that stands still until it is told to move, and a provider that lives in it. They assert
 * nothing.
 */
import type { Clock } from '../../src/model/limits/clock.ts';
import type { Gate, Permit } from '../../src/model/limits/permit.ts';
import type { RateHeaders } from '../../src/model/limits/rate-headers.ts';

export interface VirtualClock extends Clock {
  /** Moves on by so many milliseconds; what is due meanwhile is called back at its time. */
  advance(ms: number): void;
}

export function createVirtualClock(): VirtualClock {
  let time = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => time,
    setTimer(callback, delayMs) {
      const timer = { at: time + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const end = time + ms;
      for (;;) {
        let next: { at: number; callback: () => void } | null = null;
        for (const timer of timers)
          if (timer.at <= end && (!next || timer.at < next.at)) next = timer;
        if (!next) break;
        timers.delete(next);
        time = Math.max(time, next.at);
        next.callback();
      }
      time = end;
    },
  };
}

export interface ProviderReply {
  outcome: 'ok' | 'rate_limited' | 'failed';
  retryAfterMs?: number | null;
  headers?: RateHeaders;
}

/** Calls that a provider got: when each arrived, and how it was answered. */
export interface Traffic {
  readonly calls: { at: number; outcome: ProviderReply['outcome'] }[];
  /** Ends the demand. */
  stop(): void;
}

/**
 * Demand without end behind gates: whatever they let through is sent to `reply`, whose answer comes
 * `latencyMs` later.
 */
export function drive(
  gates: readonly Gate[],
  {
    clock,
    latencyMs,
    reply,
    tokens = 0,
  }: {
    clock: Clock;
    latencyMs: () => number;
    reply: (now: number) => ProviderReply;
    /** Of each call, as estimated and as used. */
    tokens?: number;
  },
): Traffic {
  const calls: Traffic['calls'] = [];
  let stopped = false;

  function send(permit: Permit): void {
    permit.begin(() => tokens);
    const { outcome, retryAfterMs = null, headers } = reply(clock.now());
    calls.push({ at: clock.now(), outcome });
    clock.setTimer(() => {
      if (headers) permit.observe(headers);
      if (outcome === 'ok' && tokens > 0) permit.settle(tokens);
      permit.release(outcome, { retryAfterMs, message: `the provider ${outcome}` });
    }, latencyMs());
  }

  for (const gate of gates) {
    // A permit that is sent may open the gate further: one loop at a time.
    let filling = false;
    const fill = () => {
      if (filling || stopped) return;
      filling = true;
      for (let permit = gate.tryEnter(); permit; permit = gate.tryEnter()) send(permit);
      filling = false;
    };
    gate.onOpen(fill);
    fill();
  }
  return {
    calls,
    stop: () => {
      stopped = true;
    },
  };
}

/** Calls whose time is from `from` to before `to`, and how many of them ended so. */
export function countCalls(
  { calls }: Traffic,
  { from, to, outcome }: { from: number; to: number; outcome?: ProviderReply['outcome'] },
): number {
  return calls.filter(
    (call) => call.at >= from && call.at < to && (!outcome || call.outcome === outcome),
  ).length;
}
