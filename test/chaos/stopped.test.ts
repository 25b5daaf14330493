/**
 * Processes that are stopped for longer than their lease and continue: a laptop that sleeps, a
 * machine that is moved, a long pause of any kind.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { submit, texts } from '../engine/worker/support.ts';
import { until } from '../support/until.ts';
import { either, printFigures } from './run.ts';
import { accountFor, expectBounded, type Member, type Stage, setStage } from './stage.ts';

const items = either(4_000, 20_000);

let stage: Stage;

beforeAll(async () => {
  stage = await setStage({ leaseMs: 2_000 });
});
afterAll(() => stage.close());

test('two workers stopped for three leases and two: all is exact, and nothing is asked under an old id', async () => {
  const given = texts(items);
  const [first, second] = await Promise.all([
    stage.start('first'),
    stage.start('second'),
    stage.start('third'),
  ]);
  const id = await submit(stage.api, given);

  const sleeps: Promise<string[]>[] = [];
  for (const [one, leases] of [[first, 3] as const, [second, 2] as const]) {
    await until(() => stage.askedBy(one.name).length > 64, {
      deadlineMs: 60_000,
      what: `work by ${one.name}`,
    });
    sleeps.push(sleep(one, leases * stage.leaseMs));
  }
  const oldIds = (await Promise.all(sleeps)).flat();
  const account = await accountFor(stage, [id], given);

  const held = await stage.sql`select from chunks where owner = any(${oldIds})`;
  printFigures('SIGSTOP for 3 and 2 leases', {
    items,
    'sent again': account.again,
    reported: account.reported,
  });
  expect(oldIds).toHaveLength(2);
  expect(held.count).toBe(0);
  expect(account.again).toBeGreaterThan(0);
  expectBounded(stage, account, { fences: 2 });
});

/**
 * Stops the process for `ms`, and until others hold what it held. Returns the ids that it worked
 * under, which it must have given up.
 */
async function sleep(one: Member, ms: number): Promise<string[]> {
  const worker = await stage.sql<{ id: string }[]>`select id from workers where pid = ${one.pid}`;
  const ids = worker.map(({ id }) => id);
  one.signal('SIGSTOP');
  const wakeAt = Date.now() + ms;
  await until(
    async () =>
      Date.now() > wakeAt &&
      (await stage.sql`select from chunks where owner = any(${ids})`).count === 0,
    { deadlineMs: 60_000, what: `others to take over from ${one.name}` },
  );
  one.signal('SIGCONT');
  await until(
    async () =>
      (
        await stage.sql`
          select from workers
          where pid = ${one.pid} and expires_at > now() and not id = any(${ids})`
      ).count === 1,
    { deadlineMs: 60_000, what: `${one.name} under a new id` },
  );
  return ids;
}
