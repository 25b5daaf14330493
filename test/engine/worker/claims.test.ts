import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLog } from '../../../src/core/log.ts';
import { type Database, openDatabase } from '../../../src/db/driver/client.ts';
import { createClaims } from '../../../src/engine/worker/claims.ts';
import { enterWorker, insertBatch, range } from '../../db/queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(database.url);
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

test('an owner with one new batch is served before the second of a hundred of another owner', async () => {
  const many = [];
  for (const _ of range(1, 100)) many.push(await insertBatch(db.sql, { items: 3, owner: 'many' }));
  const one = await insertBatch(db.sql, { items: 3, owner: 'one' });
  const worker = await enterWorker(db.sql);
  const served: bigint[] = [];
  const claims = createClaims({
    sql: db.sql,
    held: new Map(),
    workerId: () => worker,
    wants: () => false,
    isDry: () => true,
    limit: 64,
    hold: async (key) => {
      served.push(key);
      return null;
    },
    onClaimed: () => undefined,
    onBegun: () => undefined,
    log: createLog('silent', { role: 'all' }),
  });

  for (const key of [...many, one]) claims.claimFrom(key);
  await expect.poll(() => served.length, { timeout: 30_000 }).toBe(101);
  await claims.stop();

  expect(served.indexOf(one)).toBeLessThan(2);
  expect(new Set(served).size).toBe(101);
});
