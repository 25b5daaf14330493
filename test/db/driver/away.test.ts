import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { openTestDatabase } from '../../support/database.ts';
import { until } from '../../support/until.ts';

const { url } = await openTestDatabase();

test('a statement waits less for a connection where the database is known to be away', async () => {
  const presence = {
    isSure: () => false,
    isAway: () => true,
    failed: () => undefined,
    doubt: () => undefined,
    answered: () => undefined,
    mayTell: () => true,
    stop: () => undefined,
  };
  const small = openDatabase(url, { maxConnections: 1, presence, awayMs: 300 });
  let failed: unknown = null;
  const held = small.sql.begin(async (sql) => {
    await sql`select 1`;
    await small.sql`select 2`.catch((error: unknown) => {
      failed = error;
    });
  });

  await until(() => failed !== null, { deadlineMs: 15_000, what: 'the end of the wait' });
  await held;
  await small.close();

  expect(failed).toMatchObject({ message: 'no connection to the database within 300 ms' });
});
