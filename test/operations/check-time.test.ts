import { describe, expect, it } from 'vitest';
import { InvalidOutput } from '../../src/core/errors.ts';
import { createCheckTime } from '../../src/operations/check-time.ts';

/** More than an answer has for its check. */
const stallMs = 400;

/** Keeps the thread from its work, as a machine does that has no processor for it. */
function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
}

/** A check of few steps whose process is stopped when it has begun, once. */
function stalledCheck(): (tick: () => void) => string {
  let stalled = false;
  return (tick) => {
    if (!stalled) {
      stalled = true;
      stall();
    }
    for (let step = 0; step < 10_000; step += 1) tick();
    return 'good';
  };
}

describe('the time for checks', () => {
  it.each([{ patterns: false }, { patterns: true }])(
    'is not used up while the process is stopped, $patterns',
    (options) => {
      const time = createCheckTime();

      const results = [1, 2, 3].map(() => time.limit(stalledCheck(), options));

      expect(results).toEqual(['good', 'good', 'good']);
    },
  );

  it.each([{ patterns: false }, { patterns: true }])(
    'ends for a check that never does, $patterns',
    (options) => {
      const check = (tick: () => void) => {
        for (;;) tick();
      };

      expect(() => createCheckTime().limit(check, options)).toThrow(InvalidOutput);
    },
  );

  it('ends for a pattern that backtracks, which makes no step', () => {
    const check = () => /^(a|a)*$/.test(`${'a'.repeat(60)}b`);

    expect(() => createCheckTime().limit(check, { patterns: true })).toThrow(InvalidOutput);
  });
});
