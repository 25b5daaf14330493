/** The room that a gate computes is the number of permits that it gives, whatever has happened. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createGate } from '../../../src/model/limits/gate.ts';
import type { Permit, SharedGate } from '../../../src/model/limits/permit.ts';
import { runsOf } from '../../support/random.ts';
import { createVirtualClock, type VirtualClock } from '../virtual.ts';

const most = 100;

interface Stage {
  gate: SharedGate;
  clock: VirtualClock & { late(ms: number): void };
  permits: Permit[];
}

type Act = (stage: Stage) => void;

/** Permits that the gate gives one after the other. */
function take(gate: SharedGate, atMost: number): Permit[] {
  const taken: Permit[] = [];
  while (taken.length < atMost) {
    const permit = gate.tryEnter();
    if (!permit) break;
    taken.push(permit);
  }
  return taken;
}

const headers = fc.record({
  requests: fc.option(readings(100)),
  tokens: fc.option(readings(5_000)),
});

function readings(limit: number) {
  return fc.record({
    limit: fc.constant(limit),
    remaining: fc.integer({ min: 0, max: limit }),
    resetMs: fc.option(fc.integer({ min: 1, max: 60_000 })),
  });
}

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }).map(entering) },
  {
    weight: 5,
    arbitrary: fc
      .record({
        outcome: fc.constantFrom<Parameters<Permit['release']>[0]>(
          'ok',
          'ok',
          'ok',
          'refused',
          'rate_limited',
          'failed',
          'failed',
          'failed_again',
          'aborted',
        ),
        calls: fc.integer({ min: 1, max: 12 }),
        tokens: fc.option(fc.integer({ min: 1, max: 2_000 })),
        told: fc.option(headers),
        retryAfterMs: fc.option(fc.constantFrom(0, 0, 700, 20_000)),
      })
      .map(ending),
  },
  { weight: 3, arbitrary: fc.constantFrom(0.5, 60, 1_000, 7_000, 70_000).map(waiting) },
  { weight: 1, arbitrary: fc.constantFrom(0.1, 0.5, 1).map(sharing) },
  { weight: 1, arbitrary: fc.constantFrom(300, 9_000).map(waitingLate) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }).map(queueing) },
  { weight: 1, arbitrary: fc.constantFrom(60, 300).map(overloading) },
);

function entering(calls: number): Act {
  return ({ gate, permits }) => permits.push(...take(gate, calls));
}

function ending({
  outcome,
  calls,
  tokens,
  told,
  retryAfterMs,
}: {
  outcome: Parameters<Permit['release']>[0];
  calls: number;
  tokens: number | null;
  told: { requests: unknown; tokens: unknown } | null;
  retryAfterMs: number | null;
}): Act {
  return ({ permits }) => {
    for (const permit of permits.splice(0, calls)) {
      if (tokens !== null) permit.begin(() => tokens);
      if (told) permit.observe(told as Parameters<Permit['observe']>[0]);
      if (tokens !== null) permit.settle(tokens);
      permit.release(outcome, { retryAfterMs, message: 'down' });
    }
  };
}

function waiting(ms: number): Act {
  return ({ clock }) => clock.advance(ms);
}

/** Time passes, and the timers that are due have not fired. */
function waitingLate(ms: number): Act {
  return ({ clock }) => clock.late(ms);
}

function sharing(fraction: number): Act {
  return ({ gate }) => gate.share(fraction);
}

/** A burst of 429s, and the pause that they ask for. */
function overloading(ms: number): Act {
  return ({ gate, clock }) => {
    for (const permit of take(gate, 5)) permit.release('rate_limited', { retryAfterMs: 0 });
    clock.advance(ms);
  };
}

/** Callers who wait in line; those who were refused are gone. */
function queueing(callers: number): Act {
  return ({ gate, permits }) => {
    for (let caller = 0; caller < callers; caller += 1) {
      gate.enter(new AbortController().signal).then(
        (permit) => permits.push(permit),
        () => undefined,
      );
    }
  };
}

const options = fc.record({
  maxConcurrency: fc.integer({ min: 1, max: 60 }),
  requestsPerMinute: fc.option(fc.integer({ min: 1, max: 3_000 }), { nil: undefined, freq: 2 }),
  tokensPerMinute: fc.option(fc.integer({ min: 100, max: 200_000 }), { nil: undefined, freq: 2 }),
});

function createLateClock(): Stage['clock'] {
  const clock = createVirtualClock();
  let lateMs = 0;
  return {
    ...clock,
    now: () => clock.now() + lateMs,
    late(ms) {
      lateMs += ms;
    },
  };
}

test('the computed room is what trying gives', async () => {
  await fc.assert(
    fc.asyncProperty(
      options,
      fc.array(act, { minLength: 1, maxLength: 40 }),
      async (limits, acts) => {
        const clock = createLateClock();
        const gate = createGate({ ...limits, clock, random: () => 0.5 });
        const stage: Stage = { gate, clock, permits: [] };
        for (const next of acts) {
          next(stage);
          await Promise.resolve();
          const [room, isOpen] = [gate.room(most), gate.isOpen()];
          const tried = take(gate, most);
          expect(room).toBe(tried.length);
          expect(isOpen).toBe(room > 0);
          expect(gate.room(most)).toBe(0);
          for (const permit of tried) permit.release('aborted');
        }
      },
    ),
    runsOf(400),
  );
});

test('a listener hears of the opening that a look at the room found to be later', () => {
  const clock = createVirtualClock();
  const gate = createGate({ maxConcurrency: 4, requestsPerMinute: 60, clock });
  let opened = 0;
  gate.onOpen(() => {
    opened += 1;
  });
  const [permit] = take(gate, 1);
  permit?.begin(() => 0);

  expect(gate.room(4)).toBe(0);
  clock.advance(1_000);

  expect(opened).toBe(1);
  expect(gate.room(4)).toBe(1);
});
