/** One call goes first, and the others wait for it. */
import { expect, test } from 'vitest';
import { createPriming, opened, type Priming } from '../../../src/engine/run/priming.ts';
import { createVirtualClock } from '../../model/virtual.ts';

const second = 1_000;
const minute = 60 * second;

/** Whether a call that wants to go out now may, and is the first one. */
function ask(priming: Priming): 'first' | 'next' | 'waits' {
  if (!priming.mayBegin()) return 'waits';
  return priming.begin() ? 'first' : 'next';
}

test('calls wait for the answer to the first one, and for none after it', () => {
  const clock = createVirtualClock();
  const priming = createPriming(clock);

  const before = [ask(priming), ask(priming), ask(priming)];
  priming.answered();
  priming.firstEnded();

  expect(before).toEqual(['first', 'waits', 'waits']);
  expect([ask(priming), ask(priming)]).toEqual(['next', 'next']);
});

test('where the first call comes to nothing, the next one goes first', () => {
  const priming = createPriming(createVirtualClock());

  ask(priming);
  priming.firstEnded();

  expect([ask(priming), ask(priming)]).toEqual(['first', 'waits']);
});

test('a first call is waited for ten seconds at most', () => {
  const clock = createVirtualClock();
  const priming = createPriming(clock);
  const told: number[] = [];
  ask(priming);
  priming.whenOpen(() => told.push(clock.now()));

  clock.advance(9.9 * second);
  const before = ask(priming);
  clock.advance(0.2 * second);

  expect(before).toBe('waits');
  expect(told).toEqual([10 * second]);
  expect([ask(priming), ask(priming)]).toEqual(['next', 'next']);
});

test('after four minutes without a call one goes first again', () => {
  const clock = createVirtualClock();
  const priming = createPriming(clock);
  ask(priming);
  priming.answered();

  clock.advance(3.9 * minute);
  const kept = ask(priming);
  clock.advance(3.9 * minute);
  const keptOn = ask(priming);
  clock.advance(4.1 * minute);

  expect([kept, keptOn]).toEqual(['next', 'next']);
  expect([ask(priming), ask(priming)]).toEqual(['first', 'waits']);
});

test('who waits is told once, and who gives up is not', async () => {
  const priming = createPriming(createVirtualClock());
  const leaves = new AbortController();
  ask(priming);
  const stays = opened(priming, new AbortController().signal);
  const gone = opened(priming, leaves.signal);

  leaves.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  priming.answered();

  await stays;
  expect(priming.mayBegin()).toBe(true);
});
