import { expect, test } from 'vitest';
import { createLog } from '../../../src/core/log.ts';
import { claimDue, claimFrom } from '../../../src/engine/worker/claims.ts';
import { createState, workerClock } from '../../../src/engine/worker/state.ts';
import { statementsOf } from '../../../src/engine/worker/statements.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import { enterWorker, insertBatch, range, unlimited } from '../../db/queue.ts';
import { openTestDatabase } from '../../support/database.ts';

const { db } = await openTestDatabase();

test('an owner with one new batch is served before the second of a hundred of another owner', async () => {
  const many = [];
  for (const _ of range(1, 100)) many.push(await insertBatch(db.sql, { items: 3, owner: 'many' }));
  const one = await insertBatch(db.sql, { items: 3, owner: 'one' });
  const worker = await enterWorker(db);
  const served: bigint[] = [];
  const log = createLog('silent', { role: 'all' });
  const state = createState(
    {
      lease: { id: () => worker },
      // Nothing is claimed but what is asked for.
      concurrency: 0,
      statements: {
        ...statementsOf(db, unlimited),
        async readPlan(key) {
          served.push(key);
          return null;
        },
      },
      preparePlan() {
        throw new Error('nothing is run');
      },
      publisher: { publish: () => undefined, publishLast: async () => undefined },
      nudges: { send: async () => undefined },
      clock: workerClock,
      log,
      events: createEvents(log),
      tracing: null,
    },
    claimDue,
  );

  for (const key of [...many, one]) claimFrom(state, key);
  await expect.poll(() => served.length, { timeout: 30_000 }).toBe(101);
  state.stopping = true;
  await state.claims.running;

  expect(served.indexOf(one)).toBeLessThan(2);
  expect(new Set(served).size).toBe(101);
});
