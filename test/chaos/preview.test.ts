/**
 * A preview under kill -9, in its own part and in the rest: whoever dies, the preview asks its rows
 * and no other, is paused by itself, and every row is answered by one request that counts.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../../src/sandbox/wire/random.ts';
import { ask, hasEnded, readBatch, submit, texts, timesAsked } from '../engine/worker/support.ts';
import { until } from '../support/until.ts';
import { either, printFigures, seed } from './run.ts';
import { type Member, type Stage, setStage } from './stage.ts';

const rows = either(4_000, 20_000);
const preview = either(400, 1_000);
const killsAPart = either(2, 5);

let stage: Stage;

beforeAll(async () => {
  stage = await setStage({ leaseMs: 3_000 });
});
afterAll(() => stage.close());

test(`${preview} of ${rows} rows, ${killsAPart} kills in the preview and in the rest`, async () => {
  const { uniform } = createRandom(seed);
  const crew: Member[] = await stage.startAll(['worker-0', 'worker-1', 'worker-2']);
  const heirs: Promise<unknown>[] = [];
  let kills = 0;
  /** Kills a worker now and then, until the batch is as `condition` says. */
  async function killUntil(id: string, condition: (status: string) => boolean) {
    const most = kills + killsAPart;
    let nextKillAt = Date.now() + 200 + uniform() * 300;
    await until(
      async () => {
        if (condition((await readBatch(stage.api, id)).status)) return true;
        if (kills < most && Date.now() >= nextKillAt && crew.length > 0) {
          const [victim] = crew.splice(Math.floor(uniform() * crew.length), 1);
          victim?.signal('SIGKILL');
          kills += 1;
          nextKillAt = Date.now() + 200 + uniform() * 800;
          heirs.push(stage.start(`heir-${kills}`).then((heir) => crew.push(heir)));
        }
        return false;
      },
      { deadlineMs: 120_000, what: 'the next state of the batch' },
    );
  }

  stage.sandbox.faults.add({ fault: { kind: 'latency', ms: 150 } });
  const id = await submit(stage.api, texts(rows), { preview });
  await killUntil(id, (status) => status === 'PAUSED');
  const previewed = await readBatch(stage.api, id);
  const askedFirst = timesAsked(stage.sandbox);
  stage.sandbox.faults.clear();
  const resume = 'mutation($id: ID!) { resumeBatch(id: $id) { batch { id } } }';
  await ask(stage.api, resume, { id });
  await killUntil(id, (status) => hasEnded({ status }));
  await Promise.all(heirs);

  const batch = await readBatch(stage.api, id);
  const asked = timesAsked(stage.sandbox);
  const again = [...asked.values()].reduce((sum, times) => sum + times - 1, 0);
  printFigures('preview', { rows, preview, kills, again, reported: batch.resentRequests });

  expect(kills).toBeGreaterThan(killsAPart);
  expect(previewed.counts).toMatchObject({ succeeded: preview, processing: 0 });
  expect(previewed.usage.requests).toBe(preview);
  expect(askedFirst.size).toBe(preview);
  expect(batch).toMatchObject({
    status: 'COMPLETED',
    counts: { total: rows, succeeded: rows },
    usage: { requests: rows },
  });
  expect(asked.size).toBe(rows);
  expect(batch.resentRequests).toBeGreaterThanOrEqual(again);
});
