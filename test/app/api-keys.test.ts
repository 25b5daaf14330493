/** How many keys an owner may have. */
import { expect, test } from 'vitest';
import { createApiKey, maxKeptKeys } from '../../src/app/api-keys.ts';
import { listApiKeys, maxListedKeys } from '../../src/db/api-keys.ts';
import { openTestDatabase } from '../support/database.ts';

const { db } = await openTestDatabase();

/** So many keys, which expire after so many seconds; null: never. */
const insert = (owner: string, keys: number, afterSeconds: number | null) => db.sql`
  insert into api_keys (id, owner, name, hash, scopes, expires_at)
  select ${owner} || at, ${owner}, 'a key', at::text, 'READ',
         now() + make_interval(secs => ${afterSeconds}::int)
  from generate_series(1, ${keys}::int) at`;
const make = (owner: string) =>
  createApiKey(db, { owner, name: 'one more', scopes: ['READ'], expiresAt: null });

test('an owner has so many keys that still serve', async () => {
  await insert('live', maxListedKeys - 1, null);

  await make('live');

  await expect(make('live')).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'An owner must have at most 1000 keys that are neither revoked nor expired',
  });
});

test('keys that have ended count for a month', async () => {
  await insert('ended', maxKeptKeys - 1, -1);

  await make('ended');

  await expect(make('ended')).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'An owner must have at most 10000 keys, those included that ended in the last 30 days',
  });
});

test('keys that have ended hide none that serve', async () => {
  await make('both');
  await insert('both', maxListedKeys, -1);

  expect((await listApiKeys(db, 'both'))[0]).toMatchObject({ name: 'one more', revokedAt: null });
});
