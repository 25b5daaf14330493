import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DeadlineClock } from '../../src/core/deadline-clock.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => vi.useRealTimers());

const createClock = () => new DeadlineClock(1_000, () => new Error('late'));

test('each call aborts at its own deadline, by one timer', () => {
  const clock = createClock();
  const { signal } = new AbortController();
  const first = clock.start(signal);
  vi.advanceTimersByTime(400);
  const [second, third] = [clock.start(signal), clock.start(signal)];
  const heard = vi.fn();
  second.addEventListener('abort', heard);
  clock.end(third);
  expect(vi.getTimerCount()).toBe(1);

  vi.advanceTimersByTime(600);
  expect(first.reason).toEqual(new Error('late'));
  expect(second.aborted).toBe(false);

  vi.advanceTimersByTime(400);
  expect(second.reason).toEqual(new Error('late'));
  expect(heard).toHaveBeenCalledOnce();
  expect(third.aborted).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test('a call that starts when the clock stands still has its deadline too', () => {
  const clock = createClock();
  const { signal } = new AbortController();
  clock.end(clock.start(signal));
  vi.advanceTimersByTime(5_000);
  const call = clock.start(signal);

  vi.advanceTimersByTime(1_000);
  expect(call.aborted).toBe(true);
});

test('all calls of a caller abort with its signal, which has one listener while they run', () => {
  const clock = createClock();
  const [caller, other] = [new AbortController(), new AbortController()];
  const calls = [clock.start(caller.signal), clock.start(caller.signal)];
  const over = clock.start(caller.signal);
  const others = clock.start(other.signal);
  const left = vi.fn();
  calls[0]?.addEventListener('abort', left);
  calls[0]?.removeEventListener('abort', left);
  clock.end(over);
  expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1);

  caller.abort('gone');
  expect(calls.map(({ reason }) => reason)).toEqual(['gone', 'gone']);
  expect([over.aborted, others.aborted]).toEqual([false, false]);
  expect(left).not.toHaveBeenCalled();
  expect(() => clock.start(caller.signal)).toThrow('gone');

  clock.end(others);
  expect(getEventListeners(other.signal, 'abort')).toEqual([]);
});
