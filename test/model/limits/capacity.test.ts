/**
 * How closely gates follow what a provider takes, in virtual time: nothing here depends on how fast
 * the machine is.
 */
import { describe, expect, test } from 'vitest';
import { createGate } from '../../../src/model/limits/gate.ts';
import { createRandom } from '../../../src/sandbox/wire/random.ts';
import { countCalls, createVirtualClock, drive, type ProviderReply } from '../virtual.ts';

/** Takes `perSecond` calls a second, refuses the rest, and tells as much of it as `tells` says. */
function createCapacity(tells: 'nothing' | 'retry-after' | 'headers') {
  let level = 0;
  let at = 0;
  const capacity = {
    perSecond: 1,
    reply(now: number): ProviderReply {
      const { perSecond } = capacity;
      level = Math.min(perSecond, level + ((now - at) * perSecond) / 1_000);
      at = now;
      const retryAfterMs =
        tells === 'nothing' ? null : Math.ceil(((1 - level) / perSecond) * 1_000);
      const isTaken = level >= 1;
      if (isTaken) level -= 1;
      const limit = perSecond * 60;
      const resetMs = ((limit - level) / perSecond) * 1_000;
      const reading = { limit, remaining: Math.floor(level), resetMs };
      return {
        ...(isTaken ? { outcome: 'ok' } : { outcome: 'rate_limited', retryAfterMs }),
        ...(tells === 'headers' ? { headers: { requests: reading, tokens: null } } : {}),
      };
    },
  };
  return capacity;
}

function createGates(count: number, seed: number) {
  const clock = createVirtualClock();
  const { uniform } = createRandom(seed);
  const gates = Array.from({ length: count }, () =>
    createGate({ maxConcurrency: 64, clock, random: uniform }),
  );
  for (const gate of gates) gate.share(1 / count);
  return { clock, uniform, gates };
}

describe.each(['nothing', 'retry-after', 'headers'] as const)(
  'three processes at a provider that tells %s of its limit',
  (tells) => {
    test.each([
      [100, 1],
      [300, 2],
    ])('follow it from 60 to 20 to 100 calls a second (answers in %i ms, seed %i)', (ms, seed) => {
      const { clock, uniform, gates } = createGates(3, seed);
      const capacity = createCapacity(tells);
      capacity.perSecond = 60;
      const traffic = drive(gates, {
        clock,
        latencyMs: () => ms * (0.5 + uniform()),
        reply: capacity.reply,
      });

      const phases = [60, 20, 100].map((perSecond) => {
        const from = clock.now();
        capacity.perSecond = perSecond;
        clock.advance(60_000);
        const steady = { from: from + 30_000, to: from + 60_000 };
        return {
          perSecond,
          refused: countCalls(traffic, { ...steady, outcome: 'rate_limited' }),
          taken: countCalls(traffic, { ...steady, outcome: 'ok' }),
        };
      });

      for (const { perSecond, refused, taken } of phases) {
        expect(refused / (refused + taken)).toBeLessThan(0.03);
        expect(taken).toBeGreaterThan(0.9 * 30 * perSecond);
      }
      // The first second is a burst of everything that may be in flight: nothing is known yet.
      const all = { from: 1_000, to: clock.now() };
      const refused = countCalls(traffic, { ...all, outcome: 'rate_limited' });
      expect(refused / countCalls(traffic, all)).toBeLessThan(0.05);
    });
  },
);

test('429s that have nothing to do with the rate do not slow the calls down to a trickle', () => {
  const { clock, uniform, gates } = createGates(1, 5);
  const traffic = drive(gates, {
    clock,
    latencyMs: () => 200 * (0.5 + uniform()),
    reply: () =>
      uniform() < 0.02 ? { outcome: 'rate_limited', retryAfterMs: 50 } : { outcome: 'ok' },
  });

  clock.advance(60_000);

  expect(countCalls(traffic, { from: 0, to: 60_000, outcome: 'ok' })).toBeGreaterThan(60 * 60);
});

describe('a configured limit', () => {
  test('of requests is used to the full and never exceeded, in no minute', () => {
    const clock = createVirtualClock();
    const gate = createGate({ maxConcurrency: 64, requestsPerMinute: 500, clock });
    const traffic = drive([gate], {
      clock,
      latencyMs: () => 250,
      reply: () => ({ outcome: 'ok' }),
    });

    clock.advance(180_000);

    const most = Math.max(
      ...traffic.calls.map(({ at }) => countCalls(traffic, { from: at, to: at + 60_000 })),
    );
    expect(most).toBeLessThanOrEqual(500);
    expect(most).toBeGreaterThan(490);
  });

  test('of one request a minute lets one through in a minute', () => {
    const clock = createVirtualClock();
    const gate = createGate({ maxConcurrency: 64, requestsPerMinute: 1, clock });
    const traffic = drive([gate], {
      clock,
      latencyMs: () => 250,
      reply: () => ({ outcome: 'ok' }),
    });

    clock.advance(300_000);

    expect(traffic.calls.map(({ at }) => Math.floor(at / 60_000))).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('of tokens counts what calls need, and not their number', () => {
    const clock = createVirtualClock();
    const gate = createGate({ maxConcurrency: 64, tokensPerMinute: 100_000, clock });
    const reply = () => ({ outcome: 'ok' }) as const;
    const traffic = drive([gate], { clock, latencyMs: () => 250, reply, tokens: 1_000 });

    clock.advance(180_000);

    const perMinute = countCalls(traffic, { from: 60_000, to: 120_000 });
    expect(perMinute).toBeLessThanOrEqual(101);
    expect(perMinute).toBeGreaterThan(95);
  });

  test('of tokens is not held up for ever by one call that needs more than all of them', () => {
    const clock = createVirtualClock();
    const gate = createGate({ maxConcurrency: 64, tokensPerMinute: 1_000, clock });

    const permit = gate.tryEnter();
    permit?.begin(() => 1_000_000);
    permit?.settle(900);
    permit?.release('ok');
    clock.advance(60_000);

    expect(gate.tryEnter()).not.toBeNull();
  });

  test('is given back by a call that was never sent, or refused for the rate', () => {
    const clock = createVirtualClock();
    const gate = createGate({ maxConcurrency: 64, requestsPerMinute: 1, clock });

    gate.tryEnter()?.release('aborted');

    expect(gate.tryEnter()).not.toBeNull();
    expect(gate.tryEnter()).toBeNull();
  });

  test('is shared by processes', () => {
    const clock = createVirtualClock();
    const gates = [0.75, 0.25].map((fraction) => {
      const gate = createGate({ maxConcurrency: 64, requestsPerMinute: 600, clock });
      gate.share(fraction);
      return gate;
    });
    const traffics = gates.map((gate) =>
      drive([gate], { clock, latencyMs: () => 100, reply: () => ({ outcome: 'ok' }) }),
    );

    clock.advance(120_000);

    const perMinute = traffics.map((one) => countCalls(one, { from: 60_000, to: 120_000 }));
    expect(perMinute[0]).toBeCloseTo(450, -1.3);
    expect(perMinute[1]).toBeCloseTo(150, -1.3);
    expect((perMinute[0] ?? 0) + (perMinute[1] ?? 0)).toBeLessThanOrEqual(600);
  });

  test('that is used up is a reason with an end', () => {
    const clock = createVirtualClock();
    const gate = createGate({ maxConcurrency: 64, requestsPerMinute: 6, clock, id: 'a/b' });
    const before = Date.now();

    gate.tryEnter()?.release('ok');
    const blocked = gate.blocked();

    expect(blocked).toMatchObject({ reason: 'paced', message: expect.stringContaining('a/b') });
    expect((blocked?.until.getTime() ?? 0) - before).toBeGreaterThan(9_000);
    clock.advance(10_000);
    expect(gate.blocked()).toBeNull();
  });
});

describe('headers that lie', () => {
  const limits = [
    ['nothing remains, for ever', { limit: 60, remaining: 0, resetMs: 3_600_000 }],
    ['nothing remains until tomorrow', { limit: 1, remaining: 0, resetMs: 86_400_000 }],
  ] as const;

  test.each(limits)('%s: do not hold the calls up for long', (_, reading) => {
    const clock = createVirtualClock();
    const events: string[] = [];
    const gate = createGate({
      maxConcurrency: 8,
      clock,
      onEvent: ({ kind }) => events.push(kind),
    });
    const reply = () =>
      ({ outcome: 'ok', headers: { requests: reading, tokens: reading } }) as const;
    const traffic = drive([gate], { clock, latencyMs: () => 200, reply, tokens: 100 });

    clock.advance(60_000);

    expect(events).toContain('distrust');
    // Full speed is 40 a second; about twenty seconds are lost until the lie is seen through.
    expect(countCalls(traffic, { from: 0, to: 60_000 })).toBeGreaterThan(1_000);
    expect(countCalls(traffic, { from: 50_000, to: 60_000 })).toBe(400);
  });

  test('are forgotten where the server says nothing of limits any more', () => {
    const clock = createVirtualClock();
    const gate = createGate({ maxConcurrency: 8, clock });
    const requests = { limit: 60, remaining: 0, resetMs: 60_000 };
    const traffic = drive([gate], {
      clock,
      latencyMs: () => 200,
      reply: (now) => ({
        outcome: 'ok',
        ...(now < 30_000 ? { headers: { requests, tokens: null } } : {}),
      }),
    });

    clock.advance(60_000);

    expect(countCalls(traffic, { from: 20_000, to: 30_000 })).toBeLessThan(20);
    expect(countCalls(traffic, { from: 32_000, to: 42_000 })).toBe(400);
  });

  test('are believed where the calls that they rule out are refused', () => {
    const clock = createVirtualClock();
    const gate = createGate({ maxConcurrency: 8, clock, random: () => 1 });
    const requests = { limit: 60, remaining: 0, resetMs: 3_600_000 };
    let first = true;
    const traffic = drive([gate], {
      clock,
      latencyMs: () => 200,
      reply: () => {
        const outcome = first ? 'ok' : 'rate_limited';
        first = false;
        return { outcome, retryAfterMs: 20_000, headers: { requests, tokens: null } };
      },
    });

    clock.advance(120_000);

    expect(countCalls(traffic, { from: 1_000, to: 120_000 })).toBeLessThanOrEqual(6 * 8);
  });
});
