import { expect, it } from 'vitest';
import { readOrMakeSetting } from '../../src/db/settings.ts';
import { openTestDatabase } from '../support/database.ts';

const { db } = await openTestDatabase();

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
