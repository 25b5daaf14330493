/**
 * Identical rows under kill -9: each text is asked by one request that counts, and every row has
 * the answer of its text, whoever died between an answer and its copies.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../../src/sandbox/wire/random.ts';
import { hasEnded, readBatch, readItems, submit, timesAsked } from '../engine/worker/support.ts';
import { until } from '../support/until.ts';
import { either, printFigures, seed } from './run.ts';
import { type Member, type Stage, setStage } from './stage.ts';

const rows = either(4_000, 10_000);
const kinds = rows * 0.4;
const wantedKills = either(4, 10);

let stage: Stage;

beforeAll(async () => {
  stage = await setStage({ leaseMs: 3_000 });
});
afterAll(() => stage.close());

test(`${rows} rows of ${kinds} texts, ${wantedKills} kills`, async () => {
  const { uniform } = createRandom(seed);
  const given = Array.from({ length: rows }, (_, index) => `text ${(index * 7) % kinds}`);
  const crew: Member[] = await stage.startAll(['worker-0', 'worker-1', 'worker-2']);
  const id = await submit(stage.api, given);

  let kills = 0;
  let nextKillAt = Date.now() + 500;
  const heirs: Promise<unknown>[] = [];
  await until(
    async () => {
      if (hasEnded(await readBatch(stage.api, id))) return true;
      if (kills < wantedKills && Date.now() >= nextKillAt && crew.length > 0) {
        const [victim] = crew.splice(Math.floor(uniform() * crew.length), 1);
        victim?.signal('SIGKILL');
        kills += 1;
        nextKillAt = Date.now() + 200 + uniform() * 800;
        heirs.push(stage.start(`heir-${kills}`).then((heir) => crew.push(heir)));
      }
      return false;
    },
    { deadlineMs: 120_000, what: 'the end of the batch' },
  );
  await Promise.all(heirs);

  const batch = await readBatch(stage.api, id);
  const items = await readItems(stage.api, id);
  const asked = timesAsked(stage.sandbox);
  const again = [...asked.values()].reduce((sum, times) => sum + times - 1, 0);
  const outputs = new Map<string, Set<string>>();
  for (const { content, output } of items) {
    outputs.set(content, (outputs.get(content) ?? new Set()).add(JSON.stringify(output)));
  }
  printFigures('identical rows', { rows, kinds, kills, again, reported: batch.resentRequests });

  expect(kills).toBeGreaterThan(0);
  expect(batch).toMatchObject({
    status: 'COMPLETED',
    counts: { total: rows, succeeded: rows },
    usage: { requests: kinds },
  });
  expect(items.map(({ content }) => content)).toEqual(given);
  expect(items.filter(({ usage }) => usage !== null)).toHaveLength(kinds);
  expect(asked.size).toBe(kinds);
  expect([...outputs.values()].every(({ size }) => size === 1)).toBe(true);
  expect(batch.resentRequests).toBeGreaterThanOrEqual(again);
});
