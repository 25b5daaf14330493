import { describe, expect, test } from 'vitest';
import { createGate } from '../../../src/model/limits/gate.ts';
import type { Gate, Permit } from '../../../src/model/limits/permit.ts';
import { createVirtualClock } from '../virtual.ts';

/** A gate on a clock that stands still until it is told to move. */
function gateWithClock(maxConcurrency: number) {
  const clock = createVirtualClock();
  const gate = createGate({ maxConcurrency, clock, random: () => 1 });
  return { gate, advance: clock.advance };
}

function takeAll(gate: Gate): Permit[] {
  const taken: Permit[] = [];
  for (let permit = gate.tryEnter(); permit; permit = gate.tryEnter()) taken.push(permit);
  return taken;
}

const never = new AbortController().signal;

describe('room', () => {
  test('concurrency starts at the ceiling and never passes it', () => {
    const { gate } = gateWithClock(8);

    const permits = takeAll(gate);
    for (const permit of permits) permit.release('ok');

    expect(permits).toHaveLength(8);
    expect(takeAll(gate)).toHaveLength(8);
    expect(gate.answered).toBe(8);
  });

  test('a burst of 429s from one round trip decreases it once, by 0.7', () => {
    const { gate, advance } = gateWithClock(100);

    for (const permit of takeAll(gate)) permit.release('rate_limited');
    advance(10_000);

    expect(takeAll(gate)).toHaveLength(70);
  });

  test('a 429 in each round trip decreases it to one, and no further', () => {
    const { gate, advance } = gateWithClock(10);

    for (let round = 0; round < 30; round += 1) {
      for (const permit of takeAll(gate)) permit.release('rate_limited');
      advance(10_000);
    }

    expect(takeAll(gate)).toHaveLength(1);
  });

  test('a round trip of successes adds 5 % of the ceiling', () => {
    const { gate, advance } = gateWithClock(100);
    for (const permit of takeAll(gate)) permit.release('rate_limited');
    advance(10_000);

    const sizes = Array.from({ length: 8 }, () => {
      const round = takeAll(gate);
      for (const permit of round) permit.release('ok');
      advance(10_000);
      return round.length;
    });

    expect(sizes[0]).toBe(70);
    for (const [index, size] of sizes.entries()) {
      expect(Math.abs(size - Math.min(100, 70 + 5 * index))).toBeLessThanOrEqual(2);
    }
    expect(sizes.at(-1)).toBe(100);
  });

  test('successes that leave most of it unused do not raise it', () => {
    const { gate, advance } = gateWithClock(100);
    for (const permit of takeAll(gate)) permit.release('rate_limited');
    advance(10_000);

    for (let call = 0; call < 1_000; call += 1) {
      gate.tryEnter()?.release('ok');
      advance(100);
    }

    expect(takeAll(gate)).toHaveLength(70);
  });

  test('an aborted or failed call teaches nothing', () => {
    const { gate } = gateWithClock(10);

    for (const permit of takeAll(gate)) permit.release('aborted');
    for (const permit of takeAll(gate)) permit.release('failed_again');

    expect(takeAll(gate)).toHaveLength(10);
    expect(gate.answered).toBe(0);
  });

  test('a permit released twice frees one place', () => {
    const { gate } = gateWithClock(2);
    const permits = takeAll(gate);

    permits[0]?.release('ok');
    permits[0]?.release('ok');

    expect(takeAll(gate)).toHaveLength(1);
  });
});

describe('time', () => {
  test('Retry-After closes the gate for every call until then', async () => {
    const { gate, advance } = gateWithClock(4);
    gate.tryEnter()?.release('rate_limited', { retryAfterMs: 61_000 });
    let entered = false;
    const waiting = gate.enter(never).then(() => {
      entered = true;
    });

    advance(60_999);
    await Promise.resolve();
    expect(gate.tryEnter()).toBeNull();
    expect(entered).toBe(false);

    advance(1);
    await waiting;
    expect(gate.tryEnter()).not.toBeNull();
  });

  test('a shorter Retry-After does not open it earlier', () => {
    const { gate, advance } = gateWithClock(4);
    const [first, second] = takeAll(gate);

    first?.release('rate_limited', { retryAfterMs: 10_000 });
    second?.release('rate_limited', { retryAfterMs: 1_000 });
    advance(9_999);

    expect(gate.tryEnter()).toBeNull();
  });

  test('a 429 without Retry-After closes it for half a second, then twice as long each time, up to eight seconds', () => {
    const { gate, advance } = gateWithClock(4);

    for (const closedMs of [500, 1_000, 2_000, 4_000, 8_000, 8_000]) {
      gate.tryEnter()?.release('rate_limited');
      advance(closedMs - 1);
      expect(gate.tryEnter()).toBeNull();
      advance(1);
    }

    gate.tryEnter()?.release('ok');
    gate.tryEnter()?.release('rate_limited');
    advance(500);
    expect(gate.tryEnter()).not.toBeNull();
  });

  test('a Retry-After of zero does not make a tight loop', () => {
    const { gate, advance } = gateWithClock(4);

    gate.tryEnter()?.release('rate_limited', { retryAfterMs: 0 });

    expect(gate.tryEnter()).toBeNull();
    advance(50);
    expect(gate.tryEnter()).not.toBeNull();
  });

  test('a 503 with Retry-After closes it without taking room', () => {
    const { gate, advance } = gateWithClock(4);

    gate.tryEnter()?.release('failed', { retryAfterMs: 2_000 });

    expect(gate.tryEnter()).toBeNull();
    advance(2_000);
    expect(takeAll(gate)).toHaveLength(4);
  });

  test('a timer that fires early opens nothing early', () => {
    let time = 0;
    const callbacks: (() => void)[] = [];
    const gate = createGate({
      maxConcurrency: 1,
      clock: {
        now: () => time,
        setTimer: (callback) => {
          callbacks.push(callback);
          return () => {};
        },
      },
    });
    let opened = 0;
    gate.onOpen(() => {
      opened += 1;
    });
    gate.tryEnter()?.release('rate_limited', { retryAfterMs: 1_000 });

    time = 999;
    callbacks.shift()?.();
    expect(opened).toBe(0);

    time = 1_000;
    callbacks.shift()?.();
    expect(opened).toBe(1);
  });

  test('whoever waits is let in also when it opens while it is looked at', async () => {
    let time = 0;
    let perLook = 0;
    let timer: (() => void) | null = null;
    const gate = createGate({
      maxConcurrency: 1,
      clock: {
        now: () => {
          time += perLook;
          return time;
        },
        setTimer: (callback) => {
          timer = callback;
          return () => {};
        },
      },
    });
    gate.tryEnter()?.release('rate_limited', { retryAfterMs: 1_000 });
    const permit = gate.enter(never);

    // Closed at the first look, open at any later one.
    time = 999.95;
    perLook = 0.04;
    for (let fired = 0; timer && fired < 5; fired += 1) {
      const fire: () => void = timer;
      timer = null;
      fire();
    }

    expect(await Promise.race([permit, 'still waiting'])).toMatchObject({ requests: 0 });
  });
});

describe('the line', () => {
  test('those who wait are served in order, and before tryEnter', async () => {
    const { gate } = gateWithClock(1);
    const permit = gate.tryEnter();
    const order: string[] = [];
    const first = gate.enter(never).then((got) => {
      order.push('first');
      return got;
    });
    const second = gate.enter(never).then((got) => {
      order.push('second');
      return got;
    });
    gate.onOpen(() => {
      if (gate.tryEnter()) order.push('worker');
    });

    permit?.release('ok');
    expect(gate.tryEnter()).toBeNull();
    (await first).release('ok');
    expect(gate.tryEnter()).toBeNull();
    (await second).release('ok');

    expect(order).toEqual(['first', 'second', 'worker']);
  });

  test('a greedy worker cannot starve a synchronous caller', async () => {
    const { gate } = gateWithClock(4);
    const held: Permit[] = [];
    const grab = () => held.push(...takeAll(gate));
    gate.onOpen(grab);
    grab();

    const entering = gate.enter(never);
    held.shift()?.release('ok');

    expect(await entering).toBeDefined();
    expect(held).toHaveLength(3);
  });

  test('an abort while waiting rejects with the reason and leaves the line', async () => {
    const { gate } = gateWithClock(1);
    const permit = gate.tryEnter();
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const waiting = gate.enter(controller.signal);
    const next = gate.enter(never);

    controller.abort(reason);
    permit?.release('ok');

    await expect(waiting).rejects.toBe(reason);
    expect(await next).toBeDefined();
    await expect(gate.enter(controller.signal)).rejects.toBe(reason);
  });

  test('listeners hear of a free permit until they unsubscribe', () => {
    const { gate, advance } = gateWithClock(3);
    let heard = 0;
    const unsubscribe = gate.onOpen(() => {
      heard += 1;
    });
    const [first, second] = [gate.tryEnter(), gate.tryEnter()];

    first?.release('rate_limited', { retryAfterMs: 1_000 });
    expect(heard).toBe(0);
    advance(1_000);
    expect(heard).toBe(1);
    unsubscribe();
    second?.release('ok');

    expect(heard).toBe(1);
  });
});
