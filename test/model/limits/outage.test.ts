/** What a gate does while its provider fails every call, in virtual time. */
import { expect, test } from 'vitest';
import { createGate } from '../../../src/model/limits/gate.ts';
import { ModelError } from '../../../src/model/model-error.ts';
import { createRandom } from '../../../src/sandbox/wire/random.ts';
import { countCalls, createVirtualClock, drive, type ProviderReply } from '../virtual.ts';

const never = new AbortController().signal;

function createOutage({ processes, latencyMs = 200 }: { processes: number; latencyMs?: number }) {
  const clock = createVirtualClock();
  const { uniform } = createRandom(3);
  const events: string[] = [];
  const gates = Array.from({ length: processes }, () => {
    const onEvent = ({ kind }: { kind: string }) => events.push(kind);
    const gate = createGate({ id: 'a/b', maxConcurrency: 64, clock, random: uniform, onEvent });
    gate.share(1 / processes);
    return gate;
  });
  const provider: { outcome: ProviderReply['outcome'] } = { outcome: 'ok' };
  const traffic = drive(gates, {
    clock,
    latencyMs: () => latencyMs,
    reply: () => ({ outcome: provider.outcome }),
  });
  return { clock, gates, provider, traffic, events };
}

test.each([1, 3])(
  'two minutes of failures are met by a probe every five seconds, and full speed half a minute later (%i processes)',
  (processes) => {
    const { clock, provider, traffic, events } = createOutage({ processes });

    clock.advance(20_000);
    provider.outcome = 'failed';
    clock.advance(120_000);
    provider.outcome = 'ok';
    clock.advance(60_000);

    const before = countCalls(traffic, { from: 10_000, to: 20_000 }) / 10;
    const during = countCalls(traffic, { from: 20_000, to: 140_000 }) / 120;
    const after = countCalls(traffic, { from: 170_000, to: 180_000 }) / 10;
    expect(before).toBeCloseTo(processes * 320, -2);
    expect(during).toBeLessThan(0.01 * before);
    expect(countCalls(traffic, { from: 21_000, to: 140_000 })).toBeLessThanOrEqual(119 / 5);
    expect(countCalls(traffic, { from: 21_000, to: 140_000 })).toBeGreaterThan(10);
    expect(after).toBeGreaterThan(0.95 * before);
    expect(events.filter((event) => event === 'outage')).toHaveLength(processes);
    expect(events.filter((event) => event === 'recovery')).toHaveLength(processes);
  },
);

test('a provider that has just come back is not met by everything at once', () => {
  const { clock, provider, traffic } = createOutage({ processes: 1 });
  provider.outcome = 'failed';
  clock.advance(20_000);
  provider.outcome = 'ok';
  clock.advance(60_000);

  const [probe, next] = traffic.calls
    .filter(({ at, outcome }) => at >= 20_000 && outcome === 'ok')
    .map(({ at }) => at);
  const start = (probe ?? 0) + 200;

  expect(next).toBe(start);
  expect(countCalls(traffic, { from: start, to: start + 200 })).toBe(2);
  expect(countCalls(traffic, { from: start + 2_000, to: start + 2_200 })).toBe(64);
});

test('a probe that never ends does not keep the next one back', () => {
  const clock = createVirtualClock();
  const gate = createGate({ maxConcurrency: 64, clock, random: () => 0 });
  for (let call = 0; call < 10; call += 1) gate.tryEnter()?.release('failed');

  clock.advance(5_000);
  const hanging = gate.tryEnter();
  expect(gate.tryEnter()).toBeNull();
  clock.advance(5_000);
  gate.tryEnter()?.release('ok');

  expect(hanging).not.toBeNull();
  expect(gate.tryEnter()).not.toBeNull();
});

test('a permit that was not used leaves the probe to the next', () => {
  const clock = createVirtualClock();
  const gate = createGate({ maxConcurrency: 64, clock });
  for (let call = 0; call < 10; call += 1) gate.tryEnter()?.release('failed');
  clock.advance(6_000);

  gate.tryEnter()?.release('aborted');

  expect(gate.tryEnter()).not.toBeNull();
  expect(gate.tryEnter()).toBeNull();
});

test.each(['refused', 'rate_limited'] as const)('an answer that is %s ends it too', (outcome) => {
  const clock = createVirtualClock();
  const gate = createGate({ maxConcurrency: 64, clock });
  for (let call = 0; call < 10; call += 1) gate.tryEnter()?.release('failed');
  clock.advance(6_000);

  gate.tryEnter()?.release(outcome);
  clock.advance(1_000);

  expect(gate.blocked()).toBeNull();
  expect(gate.tryEnter()).not.toBeNull();
});

test('an answer among failures, and items that fail again and again, are no outage', () => {
  const gate = createGate({ maxConcurrency: 8, clock: createVirtualClock() });

  for (let call = 0; call < 100; call += 1) {
    gate.tryEnter()?.release(call % 10 === 9 ? 'ok' : 'failed');
  }
  for (let call = 0; call < 100; call += 1) gate.tryEnter()?.release('failed_again');

  expect(gate.blocked()).toBeNull();
  expect(gate.tryEnter()).not.toBeNull();
});

test('who waits in line is sent away when it begins, and who comes later at once, with the reason', async () => {
  const clock = createVirtualClock();
  const gate = createGate({ id: 'a/b', maxConcurrency: 10, clock, random: () => 0 });
  const reason = { message: 'a failed (500).' };
  const permits = Array.from({ length: 10 }, () => gate.tryEnter());
  const waiting = Array.from({ length: 12 }, () => gate.enter(never));
  const ends = Promise.allSettled(waiting);

  for (const permit of permits) permit?.release('failed', reason);
  const outcomes = (await ends).map(({ status }) => status);
  const later = await gate.enter(never).catch((error: unknown) => error);

  // Each of the first nine failures made room for one who waited.
  expect(outcomes).toEqual([...Array(9).fill('fulfilled'), ...Array(3).fill('rejected')]);
  expect(later).toBeInstanceOf(ModelError);
  expect(later).toMatchObject({
    failure: { kind: 'later', code: 'PROVIDER_ERROR', counts: false, retryAfterMs: 5_000 },
    message:
      'Nothing was sent, because a/b has failed every call for 0 s; the next try is in 5 s. The last failure: a failed (500).',
  });
});

test('is told with its reason, its beginning and the next try', () => {
  const clock = createVirtualClock();
  const gate = createGate({ id: 'a/b', maxConcurrency: 64, clock, random: () => 0 });
  clock.advance(1_000);
  for (let call = 0; call < 10; call += 1) {
    gate.tryEnter()?.release('failed', { message: 'a failed (503): overloaded' });
  }
  clock.advance(2_000);
  const now = Date.now();

  const blocked = gate.blocked();

  expect(blocked).toMatchObject({ reason: 'failing', message: 'a failed (503): overloaded' });
  expect((blocked?.since.getTime() ?? 0) - now).toBeCloseTo(-2_000, -2);
  expect((blocked?.until.getTime() ?? 0) - now).toBeCloseTo(3_000, -2);
});

test('a Retry-After is told likewise', () => {
  const clock = createVirtualClock();
  const gate = createGate({ maxConcurrency: 64, clock });

  expect(gate.blocked()).toBeNull();
  gate
    .tryEnter()
    ?.release('rate_limited', { retryAfterMs: 61_000, message: 'a asks to slow down' });
  clock.advance(1_000);
  const now = Date.now();
  const blocked = gate.blocked();

  expect(blocked).toMatchObject({ reason: 'rate_limited', message: 'a asks to slow down' });
  expect((blocked?.until.getTime() ?? 0) - now).toBeCloseTo(60_000, -2);
});
