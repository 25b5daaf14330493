import { expect, it } from 'vitest';
import { createLooper } from '../../src/core/looper.ts';

/** A looper whose runs end when the test says so: with an error, or without. */
function createHeldLooper() {
  const errors: unknown[] = [];
  const runs: ((error?: Error) => void)[] = [];
  const looper = createLooper(
    () =>
      new Promise((resolve, reject) => {
        runs.push((error) => (error ? reject(error) : resolve()));
      }),
    (error) => errors.push(error),
  );
  return { looper, runs, errors };
}

it('runs once more for all that was asked during a run', async () => {
  const { looper, runs } = createHeldLooper();
  const first = looper.run();
  const others = [looper.run(), looper.run()];

  expect(runs).toHaveLength(1);
  runs[0]?.();
  await first;
  expect(runs).toHaveLength(2);
  runs[1]?.();
  await Promise.all(others);

  expect(runs).toHaveLength(2);
});

it('goes on after an error, which it reports', async () => {
  const { looper, runs, errors } = createHeldLooper();
  const first = looper.run();
  const next = looper.run();
  runs[0]?.(new Error('broken'));
  await first;
  runs[1]?.();
  await next;

  expect(errors).toEqual([new Error('broken')]);
});

it('starts nothing once it is stopped, and waits for the run under way', async () => {
  const { looper, runs } = createHeldLooper();
  const order: string[] = [];
  const asked = [looper.run(), looper.run()];
  const stopped = looper.stop().then(() => order.push('stopped'));
  order.push('ends');
  runs[0]?.();
  await Promise.all([stopped, ...asked, looper.run()]);

  expect(order).toEqual(['ends', 'stopped']);
  expect(runs).toHaveLength(1);
});
