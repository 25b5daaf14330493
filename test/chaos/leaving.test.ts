/**
 * Orderly ends: a process that is told to stop claims nothing more, finishes its calls, and leaves
 * nothing to be asked again.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { submit, texts, untilBatch } from '../engine/worker/support.ts';
import { until } from '../support/until.ts';
import { either, printFigures } from './run.ts';
import { accountFor, expectBounded, type Member, type Stage, setStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setStage();
});
afterEach(() => stage.clear());
afterAll(() => stage.close());

/** Nobody dies: a processor that is taken away for seconds must not look like a death. */
const long = { WORKER_LEASE_MS: '30000' };

test('rolling restarts in the middle of a batch ask nothing again', async () => {
  const given = texts(either(2_000, 60_000));
  const restarts = either(3, 20);
  const crew: Member[] = await stage.startAll(['first', 'second', 'third'], long);
  const id = await submit(stage.api, given);
  const codes: (number | string)[] = [];
  let slowestMs = 0;
  let latestMs = 0;

  for (let restart = 1; restart <= restarts; restart += 1) {
    const leaver = crew.shift() as Member;
    await until(() => stage.askedBy(leaver.name).length > 30, {
      deadlineMs: 60_000,
      what: `work by ${leaver.name}`,
    });
    leaver.signal('SIGTERM');
    const toldAt = Date.now();
    codes.push(await leaver.exited);
    slowestMs = Math.max(slowestMs, Date.now() - toldAt);
    latestMs = Math.max(latestMs, Math.max(...stage.askedBy(leaver.name)) - toldAt);
    crew.push(await stage.start(`heir-${restart}`, long));
  }
  const account = await accountFor(stage, [id], given);

  printFigures(`${restarts} rolling restarts`, {
    items: given.length,
    'last request after SIGTERM in ms': latestMs,
    'slowest exit in ms': slowestMs,
    'sent again': account.again,
    reported: account.reported,
  });
  expect(codes).toEqual(codes.map(() => 0));
  expect(account.again).toBe(0);
  expect(account.reported).toBe(0);
  expect(slowestMs).toBeLessThan(30_000);
  // The signal has to reach a process that may not have the processor just then.
  expect(latestMs).toBeLessThan(1_000);
});

test('a second SIGTERM gives back what is under way and exits; the batch says what that costs', async () => {
  const given = texts(600);
  const [hasty] = await stage.startAll(['hasty']);
  const slow = stage.sandbox.faults.add({ fault: { kind: 'latency', ms: 20_000 } });
  const id = await submit(stage.api, given);
  await until(() => stage.sandbox.inFlight === stage.concurrency, {
    deadlineMs: 60_000,
    what: 'all places to be taken',
  });

  hasty?.signal('SIGTERM');
  await until(() => hasty?.output().includes('Stopping'), {
    deadlineMs: 10_000,
    what: 'the first to be heard',
  });
  // Two within half a second are taken for one press of a key.
  const toldAt = Date.now();
  await until(() => Date.now() > toldAt + 600, { deadlineMs: 5_000, what: 'another press' });
  hasty?.signal('SIGTERM');
  const againAt = Date.now();
  const code = await hasty?.exited;
  const tookMs = Date.now() - againAt;
  slow();
  await stage.start('heir');
  const account = await accountFor(stage, [id], given);

  printFigures('SIGTERM twice with calls of 20 s under way', {
    'exit after ms': tookMs,
    'sent again': account.again,
    reported: account.reported,
  });
  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(2_000);
  expect(account.again).toBe(stage.concurrency);
  expect(account.reported).toBe(account.again);
});

test('a cancel right before a crash: no call begins a second later, the batch ends CANCELLED, and what was answered is there', async () => {
  const given = texts(either(2_000, 10_000));
  const crew = await stage.startAll(['first', 'second', 'third']);
  const id = await submit(stage.api, given);
  await untilBatch(stage.api, id, ({ counts }) => counts.succeeded > given.length / 2, {
    deadlineMs: 120_000,
  });

  const answer = stage.api.graphql('mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }', {
    id,
  });
  const [victim] = crew;
  const cancelledAt = Date.now();
  await until(() => Date.now() > cancelledAt + 100, { deadlineMs: 5_000, what: 'a moment' });
  victim?.signal('SIGKILL');
  await answer;
  const acknowledgedAt = Date.now();
  const batch = await untilBatch(stage.api, id, ({ status }) => status === 'CANCELLED', {
    deadlineMs: 60_000,
  });
  const endedMs = Date.now() - acknowledgedAt;
  const lastMs = Math.max(...crew.flatMap(({ name }) => stage.askedBy(name))) - acknowledgedAt;
  const output = await fetch(`${stage.api.url}/batches/${id}/output?format=jsonl&status=succeeded`);
  const lines = (await output.text()).trimEnd().split('\n');

  printFigures('cancel 100 ms before a kill', {
    'last request after ms': lastMs,
    'ended after ms': endedMs,
    answered: batch.counts.succeeded,
    cancelled: batch.counts.cancelled,
  });
  expect(lastMs).toBeLessThan(1_000);
  expect(batch.counts.succeeded + batch.counts.cancelled).toBe(given.length);
  expect(lines).toHaveLength(batch.counts.succeeded);
});

test('what a killed worker held is claimed again within one and a half leases', async () => {
  // In the long form with the lease of production.
  const leaseMs = either(3_000, 30_000);
  const given = texts(either(1_000, 20_000));
  const slow = stage.sandbox.faults.add({ fault: { kind: 'latency', ms: either(0, 500) } });
  const crew = await stage.startAll(['victim', 'heir'], { WORKER_LEASE_MS: String(leaseMs) });
  const id = await submit(stage.api, given);
  await until(() => stage.askedBy('victim').length > 100, { deadlineMs: 60_000, what: 'work' });
  const [victim] = crew;
  const [worker] = await stage.sql`select id from workers where pid = ${victim?.pid ?? 0}`;

  victim?.signal('SIGKILL');
  const killedAt = Date.now();
  await until(
    async () =>
      (await stage.sql`select from chunks where owner = ${worker?.id as string}`).count === 0,
    { deadlineMs: 90_000, what: 'its chunks to be taken back' },
  );
  const backMs = Date.now() - killedAt;
  slow();
  const account = await accountFor(stage, [id], given);

  printFigures(`recovery after kill -9, lease ${leaseMs} ms`, {
    'all taken back after ms': backMs,
    'sent again': account.again,
    reported: account.reported,
  });
  expect(backMs).toBeLessThan(1.5 * leaseMs);
  expectBounded(stage, account, { kills: 1 });
});
