import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/db/driver/client.ts';
import { readOrMakeSetting } from '../../src/db/settings.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(database.url);
});
afterAll(async () => {
  await db?.close();
  await database?.drop();
});

it('a setting is made once, however many race for it, and kept', async () => {
  let made = 0;
  const race = Array.from({ length: 20 }, () =>
    readOrMakeSetting(db, 'webhook_secret', () => `value ${++made}`),
  );

  const values = await Promise.all(race);

  expect(new Set(values).size).toBe(1);
  expect(await readOrMakeSetting(db, 'webhook_secret', () => 'another')).toBe(values[0]);
  expect(await readOrMakeSetting(db, 'other', () => 'its own')).toBe('its own');
});
