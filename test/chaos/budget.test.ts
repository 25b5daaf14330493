/** Limits under kills: what a batch costs at most, over many draws of what its calls cost. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type BoundedRun,
  type BoundedStage,
  meanUsd,
  setBoundedStage,
} from '../engine/worker/bounded.ts';
import { either, printFigures } from './run.ts';

const workers = 4;
const concurrency = 64;
const items = either(3_000, 20_000);
const seeds = Array.from({ length: either(3, 20) }, (_, at) => at + 1);

let stage: BoundedStage;

beforeAll(async () => {
  stage = await setBoundedStage({ workers, concurrency, latencyMs: 100 });
});
afterAll(() => stage.close());

test(`${workers} workers of ${concurrency} calls, one killed in each of ${seeds.length} runs`, async () => {
  const runs: BoundedRun[] = [];
  for (const seed of seeds) runs.push(await stage.run({ seed, items, share: 0.5, kill: true }));

  const over = runs.map(({ costUsd, maxCostUsd }) => costUsd / maxCostUsd - 1);
  printFigures('limits', {
    runs: runs.length,
    'most beyond the limit, %': 100 * Math.max(...over),
    'least below it, %': 100 * Math.max(...over.map((share) => -share)),
    'billed beyond, most %':
      100 * Math.max(...runs.map((run) => run.billedUsd / run.maxCostUsd - 1)),
    resent: runs.reduce((sum, { resentRequests }) => sum + resentRequests, 0),
  });
  for (const run of runs) {
    const { maxCostUsd, costUsd, billedUsd, mostUsd, resentRequests } = run;
    const underWay = workers * concurrency * mostUsd;
    expect(costUsd).toBeLessThanOrEqual(maxCostUsd + underWay);
    expect(billedUsd).toBeLessThanOrEqual(maxCostUsd + underWay + resentRequests * meanUsd);
    expect(costUsd + resentRequests * meanUsd).toBeGreaterThan(
      maxCostUsd - (workers * concurrency + 1) * meanUsd,
    );
    expect(run.succeeded).toBe(items);
    expect(run.asked).toHaveLength(items);
  }
  expect(over.filter((share) => share > 0.01).length).toBeLessThanOrEqual(seeds.length / 20);
});
