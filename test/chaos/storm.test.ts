/**
 * The storm: a random worker is killed every second or two, and another one started in its place.
 * Then the money is counted: every item has one answer, and what was asked twice is what the
 * batches say.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../../src/sandbox/wire/random.ts';
import { hasEnded, readBatch, submit, texts } from '../engine/worker/support.ts';
import { until } from '../support/until.ts';
import { either, printFigures, seconds, seed } from './run.ts';
import { accountFor, expectBounded, type Member, type Stage, setStage } from './stage.ts';

const items = Number(process.env.CHAOS_ITEMS ?? either(6_000, 40_000));
const itemsPerBatch = 10_000;
const workers = 3;

let stage: Stage;

beforeAll(async () => {
  stage = await setStage({ leaseMs: 3_000 });
});
afterAll(() => stage.close());

test(`${workers} workers, one killed every 1 to 2 s for ${seconds} s, ${items} items`, async () => {
  const { uniform } = createRandom(seed);
  const crew: Member[] = await stage.startAll(
    Array.from({ length: workers }, (_, at) => `worker-${at}`),
  );
  const given = texts(items);
  const batches = await Promise.all(
    Array.from({ length: Math.ceil(items / itemsPerBatch) }, (_, at) =>
      submit(stage.api, given.slice(at * itemsPerBatch, (at + 1) * itemsPerBatch)),
    ),
  );
  const startedAt = Date.now();

  let kills = 0;
  let nextKillAt = startedAt + 1_000;
  const heirs: Promise<unknown>[] = [];
  await until(
    async () => {
      const states = await Promise.all(batches.map((id) => readBatch(stage.api, id)));
      if (states.every(hasEnded)) return true;
      if (Date.now() >= nextKillAt && crew.length > 0) {
        const [victim] = crew.splice(Math.floor(uniform() * crew.length), 1);
        victim?.signal('SIGKILL');
        kills += 1;
        nextKillAt = Date.now() + 1_000 + uniform() * 1_000;
        heirs.push(stage.start(`heir-${kills}`).then((heir) => crew.push(heir)));
      }
      return Date.now() >= startedAt + seconds * 1_000;
    },
    { deadlineMs: 600_000, what: 'the end of the storm' },
  );
  await Promise.all(heirs);
  const account = await accountFor(stage, batches, given, { deadlineMs: 300_000 });

  printFigures(`${workers} workers of 64 calls, kill -9`, {
    items,
    kills,
    'leases lost besides': stage.fences(),
    seconds: (Date.now() - startedAt) / 1_000,
    'sent again': account.again,
    reported: account.reported,
    'marked ahead': account.markedAhead,
    'sent again per kill': account.again / Math.max(1, kills),
  });
  expect(kills).toBeGreaterThan(0);
  expectBounded(stage, account, { kills });
});
