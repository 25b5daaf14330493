/** The promises of the pump, over random orders of everything that can happen to a worker. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimFrom } from '../../../src/engine/worker/claims.ts';
import { ModelError } from '../../../src/model/model-error.ts';
import { runsOf } from '../../support/random.ts';
import { type BatchSpec, createWorld, type World } from './world.ts';

type Act = (world: World) => void;

const spec: fc.Arbitrary<BatchSpec> = fc.record({
  owner: fc.constantFrom('a', 'b'),
  model: fc.constantFrom('x', 'x', 'y'),
  chunks: fc.array(
    fc.record({
      items: fc.integer({ min: 1, max: 6 }),
      crashes: fc.constantFrom(0, 0, 0, 1, 3),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** Takes one of a list, by a number that is drawn without knowing how long it is. */
function pick<T>(list: readonly T[], at: number): T | undefined {
  return list[at % Math.max(1, list.length)];
}

const nth = fc.nat({ max: 20 });

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 40,
    arbitrary: nth.map(
      (at): Act =>
        (world) =>
          apply(world, at),
    ),
  },
  // The newest first: what is older is answered late.
  {
    weight: 20,
    arbitrary: fc.constant<Act>((world) => apply(world, world.statements.length - 1)),
  },
  {
    weight: 10,
    arbitrary: nth.map(
      (at): Act =>
        ({ statements }) =>
          pick(statements, at)?.run(),
    ),
  },
  {
    weight: 5,
    arbitrary: nth.map(
      (at): Act =>
        (world) =>
          breakStatement(world, at),
    ),
  },
  {
    weight: 40,
    arbitrary: nth.map(
      (at): Act =>
        ({ calls }) =>
          pick(calls, at)?.answer(),
    ),
  },
  {
    weight: 10,
    arbitrary: nth.map(
      (at): Act =>
        ({ calls }) =>
          pick(calls, at)?.spoil(),
    ),
  },
  {
    weight: 10,
    arbitrary: fc.tuple(nth, fc.constantFrom(limited, failed)).map(
      ([at, error]): Act =>
        ({ calls }) =>
          pick(calls, at)?.refuse(error()),
    ),
  },
  {
    weight: 20,
    arbitrary: nth.map(
      (at): Act =>
        ({ connections, connect }) =>
          connect(at % Math.max(1, connections.length)),
    ),
  },
  {
    weight: 15,
    arbitrary: fc.constantFrom(1, 6, 30, 300, 2_000).map(
      (ms): Act =>
        ({ clock }) =>
          clock.advance(ms),
    ),
  },
  {
    weight: 10,
    arbitrary: nth.map(
      (at): Act =>
        ({ state, batches }) => {
          const key = pick([...batches.keys()], at);
          if (key !== undefined) claimFrom(state, key);
        },
    ),
  },
  {
    weight: 10,
    arbitrary: nth.map(
      (at): Act =>
        (world) => {
          const key = pick([...world.batches.keys()], at);
          if (key !== undefined) world.pauseOrResume(key);
        },
    ),
  },
  { weight: 2, arbitrary: fc.constant<Act>((world) => world.loseLease()) },
  {
    weight: 2,
    arbitrary: nth.map(
      (looks): Act =>
        (world) =>
          world.expireLease(looks),
    ),
  },
  { weight: 8, arbitrary: fc.constant<Act>((world) => world.renewLease()) },
);

function apply({ statements }: World, at: number): void {
  const next = pick(statements, at);
  if (!next) return;
  statements.splice(statements.indexOf(next), 1);
  next.apply();
}

/** A connection breaks, before the database has done what it was told or after. */
function breakStatement({ statements }: World, at: number): void {
  const next = pick(statements, at);
  if (!next) return;
  statements.splice(statements.indexOf(next), 1);
  next.fail({ applied: at % 2 === 0 });
}

function limited(): ModelError {
  return new ModelError(
    { kind: 'later', code: 'RATE_LIMITED', retryAfterMs: 100, counts: false },
    '429',
  );
}

function failed(): ModelError {
  return new ModelError(
    { kind: 'later', code: 'PROVIDER_ERROR', retryAfterMs: null, counts: true },
    '503',
  );
}

/** Lets everything that was begun in this turn come to its end. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Everything works again, until there is nothing left to do. */
async function finish(world: World): Promise<void> {
  const { statements, calls, state, clock } = world;
  world.resumeAll();
  for (let step = 0; step < 3_000; step += 1) {
    // A give-back may wait for its next try, under a lease that is lost.
    const isIdle = calls.length === 0 && state.inFlight === 0;
    if (world.isOver() && state.batches.size === 0 && isIdle) return;
    world.renewLease();
    for (const statement of statements.splice(0)) statement.apply();
    while (world.connections.length > 0) world.connect(0);
    for (const call of [...calls]) call.answer();
    clock.advance(step < 200 ? 10 : 250);
    await turn();
  }
}

test('every promise holds in any order of events, and every item is answered once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(spec, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 10 }),
      fc.record({ giveBacksSeeEarly: fc.boolean(), connectsLate: fc.boolean() }),
      fc.array(act, { minLength: 20, maxLength: 150 }),
      async (specs, concurrency, gatePlaces, options, acts) => {
        const world = createWorld(specs, concurrency, gatePlaces, options);
        const { state, sends, reasons, batches } = world;
        state.wake();
        for (const next of acts) {
          next(world);
          await turn();
        }
        await finish(world);
        state.stopped = true;

        expect([...world.broken]).toEqual([]);
        expect([...batches.values()].map(({ results }) => results.size)).toEqual(
          [...batches.values()].map(({ total }) => total),
        );
        expect([...sends].filter(([name, times]) => times > (reasons.get(name) ?? 0))).toEqual([]);
        const { inFlight, ready, unwritten } = state;
        expect({ inFlight, ready, unwritten }).toEqual({ inFlight: 0, ready: 0, unwritten: 0 });
      },
    ),
    runsOf(500),
  );
});
