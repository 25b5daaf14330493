import { expect, test } from 'vitest';
import { createLineLimit } from '../../src/telemetry/line-limit.ts';

test('so many lines are let through in a minute, and as many again in the next', () => {
  let now = 0;
  const may = createLineLimit(2, () => now);
  const first = [may(), may(), may()];
  now = 59_999;
  const still = may();
  now = 60_000;

  expect([first, still, may()]).toEqual([[true, true, false], false, true]);
});
