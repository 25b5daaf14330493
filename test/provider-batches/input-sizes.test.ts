/** What one refusal of an input teaches the inputs after it. */
import { expect, test } from 'vitest';
import { createInputSizes } from '../../src/provider-batches/input-sizes.ts';

test('an input has half of what was refused, at its own provider, for an hour', () => {
  let minutes = 0;
  const sizes = createInputSizes(() => minutes * 60_000);
  const before = sizes.limitOf('one');

  sizes.refused('one', 1_001);
  sizes.refused('one', 4_000);
  minutes = 59;
  const [known, other] = [sizes.limitOf('one'), sizes.limitOf('other')];
  minutes = 61;

  expect([before, known, other, sizes.limitOf('one')]).toEqual([
    Number.POSITIVE_INFINITY,
    500,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
});
