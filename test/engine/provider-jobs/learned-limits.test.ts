/** What one refusal of an input teaches the inputs after it. */
import { expect, test } from 'vitest';
import { createLearnedLimits } from '../../../src/engine/provider-jobs/learned-limits.ts';

test('an input has half of what was refused, for what refused it, for an hour', () => {
  let minutes = 0;
  const limits = createLearnedLimits(() => minutes * 60_000);
  const before = limits.limitOf('one');

  limits.refused('one', 1_001);
  limits.refused('one', 4_000);
  minutes = 59;
  const [known, other] = [limits.limitOf('one'), limits.limitOf('other')];
  minutes = 61;

  expect([before, known, other, limits.limitOf('one')]).toEqual([
    Number.POSITIVE_INFINITY,
    500,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
});
