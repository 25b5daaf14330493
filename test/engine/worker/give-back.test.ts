/** A late give-back frees nothing that was claimed again meanwhile. */
import { expect, test } from 'vitest';
import { claimFrom } from '../../../src/engine/worker/claims.ts';
import { ModelError } from '../../../src/model/model-error.ts';
import { createWorld, type World } from './world.ts';

type Call = World['calls'][number];

/** Everything that was begun in this turn comes to its end. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time passes, and the database answers, until this is so or nothing more can happen. */
async function goOn({ statements, clock }: World, isEnough: () => boolean): Promise<void> {
  for (let step = 0; step < 200 && !isEnough(); step += 1) {
    for (const statement of statements.splice(0)) statement.apply();
    await turn();
    clock.advance(20);
    await turn();
  }
}

async function finish(world: World): Promise<void> {
  const { state, calls, clock } = world;
  for (let round = 0; round < 20; round += 1) {
    await goOn(world, () => calls.length > 0);
    for (const call of [...calls]) call.answer();
    clock.advance(300);
    world.renewLease();
    await turn();
  }
  state.stopped = true;
}

function failed(): ModelError {
  return new ModelError(
    { kind: 'later', code: 'PROVIDER_ERROR', retryAfterMs: null, counts: true },
    '503',
  );
}

test.each<[string, (call: Call) => void]>([
  ['is recorded', (call) => call.answer()],
  ['is to be tried again', (call) => call.refuse(failed())],
])('while the rest of a chunk is given back its last call %s', async (_what, end) => {
  const chunks = [{ items: 2, crashes: 0 }];
  const world = createWorld([{ owner: 'a', model: 'x', chunks }], 1, 1);
  const { state, statements, calls, batches, sends, reasons, broken } = world;
  state.wake();
  await turn();
  await goOn(world, () => calls.length > 0);
  await goOn(world, () => statements.length === 0);

  world.pauseOrResume(1n);
  statements.shift()?.apply();
  await turn();
  const cut = statements.shift();
  for (const call of [...calls]) end(call);
  await turn();
  await goOn(world, () => false);
  world.pauseOrResume(1n);
  world.renewLease();
  await goOn(world, () => calls.length > 0);
  cut?.apply();
  await turn();
  await finish(world);

  expect(cut).toBeDefined();
  expect([...broken]).toEqual([]);
  expect(batches.get(1n)?.results.size).toBe(2);
  expect([...sends]).toEqual([...reasons]);
});

test('a chunk whose give-back is tried again is not taken in before that', async () => {
  const chunks = [{ items: 1, crashes: 0 }];
  const world = createWorld([{ owner: 'a', model: 'x', chunks }], 1, 1);
  const { state, statements, calls, clock, batches, sends, reasons, broken } = world;
  state.wake();
  await turn();
  await goOn(world, () => calls.length > 0);
  await goOn(world, () => statements.length === 0);

  world.pauseOrResume(1n);
  statements.shift()?.apply();
  await turn();
  calls[0]?.spoil();
  await turn();
  const given = statements.shift();
  given?.fail({ applied: true });
  await turn();
  world.pauseOrResume(1n);
  claimFrom(state, 1n);
  await turn();
  for (const statement of statements.splice(0)) statement.apply();
  await turn();
  clock.advance(500);
  await turn();
  await finish(world);

  expect(given).toBeDefined();
  expect([...broken]).toEqual([]);
  expect(batches.get(1n)?.results.size).toBe(1);
  expect([...sends]).toEqual([...reasons]);
});

test('a chunk whose give-back failed is given back by another try, and by no other statement', async () => {
  const chunks = [1, 1].map((items) => ({ items, crashes: 0 }));
  const world = createWorld([{ owner: 'a', model: 'x', chunks }], 1, 1);
  const { state, statements, calls, clock, batches } = world;
  state.wake();
  await turn();
  await goOn(world, () => calls.length > 0 && state.ready > 0);
  await goOn(world, () => statements.length === 0);

  world.pauseOrResume(1n);
  statements.shift()?.apply();
  await turn();
  // The database may have it still.
  statements.shift()?.fail({ applied: false });
  await turn();
  world.renewLease();
  await turn();
  while (statements.length > 0) {
    for (const statement of statements.splice(0)) statement.apply();
    await turn();
  }
  const holders = () => batches.get(1n)?.chunks.map(({ holder }) => holder);
  const meanwhile = holders();
  clock.advance(500);
  await turn();
  for (const statement of statements.splice(0)) statement.apply();
  await turn();
  const afterwards = holders();
  await finish(world);

  expect(meanwhile).toEqual(['worker_1', 'worker_1']);
  expect(afterwards).toEqual(['worker_1', null]);
});
