/** Real processes that share a limit, one of them killed. The long form is in test/chaos. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BoundedStage, meanUsd, setBoundedStage } from './bounded.ts';

const workers = 3;
const concurrency = 8;
const items = 600;

let stage: BoundedStage;

beforeAll(async () => {
  stage = await setBoundedStage({ workers, concurrency, latencyMs: 15 });
});
afterAll(() => stage.close());

test('workers together keep to the limit, also when one dies, and ask every row once', async () => {
  const run = await stage.run({ seed: 3, items, share: 0.5, kill: true });
  const { maxCostUsd, costUsd, billedUsd, mostUsd, resentRequests } = run;

  expect(costUsd).toBeLessThanOrEqual(maxCostUsd + workers * concurrency * mostUsd);
  expect(billedUsd).toBeLessThanOrEqual(
    maxCostUsd + workers * concurrency * mostUsd + resentRequests * meanUsd,
  );
  expect(costUsd + resentRequests * meanUsd).toBeGreaterThan(
    maxCostUsd - (workers * concurrency + 1) * meanUsd,
  );
  expect(run.succeeded).toBe(items);
  expect(run.asked).toHaveLength(items);
  const again = run.asked.filter((times) => times > 1).length;
  expect(again).toBeLessThanOrEqual(concurrency);
});
