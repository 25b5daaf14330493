/**
 * Networks that swallow, delay and reset what is sent: a proxy between workers and their database
 * does it.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createRandom } from '../../src/sandbox/wire/random.ts';
import { submit, texts, untilEnded } from '../engine/worker/support.ts';
import { startProxy, type TcpProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import { either, printFigures, seed } from './run.ts';
import { accountFor, expectBounded, type Stage, setStage } from './stage.ts';

let stage: Stage;
let proxy: TcpProxy;

beforeAll(async () => {
  stage = await setStage();
  proxy = await startProxy(Number(new URL(stage.databaseUrl).port));
});
afterEach(() => stage.clear());
afterAll(async () => {
  await stage.close();
  await proxy.close();
});

test('a worker whose database falls silent fences itself, others finish, and it comes back by itself', async () => {
  const given = texts(either(2_500, 20_000));
  const silentMs = either(5_000, 60_000);
  const [cut] = await Promise.all([
    stage.start('cut', { DATABASE_URL: proxy.through(stage.databaseUrl) }),
    stage.start('second'),
    stage.start('third'),
  ]);
  const id = await submit(stage.api, given);
  await until(() => stage.askedBy('cut').length > 128, { deadlineMs: 60_000, what: 'work' });

  proxy.swallow();
  const cutAt = Date.now();
  await until(() => cut.output().includes('lost its lease'), {
    deadlineMs: 30_000,
    what: 'the fence',
  });
  const fencedMs = Date.now() - cutAt;
  const lastMs = Math.max(...stage.askedBy('cut')) - cutAt;
  const account = await accountFor(stage, [id], given);
  await until(() => Date.now() > cutAt + silentMs, {
    deadlineMs: silentMs + 5_000,
    what: 'the end of the silence',
  });
  proxy.pass();
  const passedAt = Date.now();
  const asked = stage.askedBy('cut').length;
  const later = await submit(
    stage.api,
    texts(1_000).map((text) => `${text} later`),
  );
  await until(() => stage.askedBy('cut').length > asked, {
    deadlineMs: 60_000,
    what: 'work by the one that was cut off',
  });
  const backMs = Date.now() - passedAt;
  await untilEnded(stage.api, later, 120_000);

  printFigures(`half-open connections for ${silentMs / 1_000} s, lease ${stage.leaseMs} ms`, {
    items: given.length,
    'fenced after ms': fencedMs,
    'last request after ms': lastMs,
    'back after ms': backMs,
    'sent again': account.again,
    reported: account.reported,
  });
  // Of the last renewal that was answered; a loaded machine is given a second.
  expect(fencedMs).toBeLessThan(0.6 * stage.leaseMs + 1_000);
  expect(lastMs).toBeLessThan(0.6 * stage.leaseMs + 1_000);
  // The longest that a connection which was begun in the silence is waited for is 10 s.
  expect(backMs).toBeLessThan(15_000);
  expectBounded(stage, account, { fences: 1 });
});

test('delays of 100 to 400 ms and resets of one piece in a hundred lose nothing and hardly ask again', async () => {
  const { uniform } = createRandom(seed);
  const given = texts(either(100, 10_000));
  let resets = 0;
  const through = { DATABASE_URL: proxy.through(stage.databaseUrl), WORKER_LEASE_MS: '30000' };
  await stage.startAll(['first', 'second', 'third'], through);
  proxy.weather({
    delayMs: () => 100 + 300 * uniform(),
    resets: () => {
      const does = uniform() < 0.01;
      if (does) resets += 1;
      return does;
    },
  });
  const startedAt = Date.now();

  const id = await submit(stage.api, given);
  const account = await accountFor(stage, [id], given);
  proxy.weather({});

  printFigures('jitter of 100 to 400 ms, resets of 1 %', {
    items: given.length,
    resets,
    seconds: (Date.now() - startedAt) / 1_000,
    'sent again': account.again,
    reported: account.reported,
  });
  expect(resets).toBeGreaterThan(0);
  expect(account.again).toBeLessThanOrEqual(0.01 * given.length);
});
