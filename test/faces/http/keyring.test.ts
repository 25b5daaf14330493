/** The copy of the keys that each process has, where nobody tells it of a change. */
import postgres from 'postgres';
import { beforeEach, expect, test } from 'vitest';
import { createApiKey } from '../../../src/app/api-keys.ts';
import { revokeApiKey } from '../../../src/db/api-keys.ts';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { createKeyring, type Keyring } from '../../../src/faces/http/keyring.ts';
import { openTestDatabase } from '../../support/database.ts';
import { until } from '../../support/until.ts';

const deadlineMs = 15_000;
const look = { mayLook: async () => true };
const noLook = { mayLook: async () => false };

const { db, url } = await openTestDatabase();
let rings: Keyring[];
beforeEach(async () => {
  await db.sql`delete from api_keys`;
  rings = [];
  return async () => {
    for (const ring of rings) await ring.stop();
  };
});

async function startRing({
  fixed = new Map(),
  maxAgeMs = 2_000,
  lookUpDb = db,
  isAway = () => false,
}: Partial<Parameters<typeof createKeyring>[0]> = {}): Promise<Keyring> {
  const subscribe = () => () => undefined;
  const ring = createKeyring({ fixed, db, lookUpDb, subscribe, isAway, maxAgeMs });
  await ring.start();
  rings.push(ring);
  return ring;
}

const make = (expiresAt: Date | null = null) =>
  createApiKey(db, { owner: 'acme', name: 'a key', scopes: ['READ'], expiresAt });
const judge = async (ring: Keyring, key: string, options = look) => {
  const { bearer, refusal } = await ring.judge(`Bearer ${key}`, options);
  return bearer ? bearer.owner : refusal;
};

test('a key is good from the instant on that it is made, and refused soon after it is revoked', async () => {
  const ring = await startRing({ fixed: new Map([['other', { owner: 'o', scopes: [] }]]) });
  const { apiKey, key } = await make();
  expect(await judge(ring, key)).toBe('acme');

  await revokeApiKey(db, apiKey.id, 'acme');

  await until(async () => (await judge(ring, key)) === 'ended', { deadlineMs, what: 'its end' });
});

test('a key is refused once it has expired, and what was open ends', async () => {
  const ring = await startRing();
  const { key } = await make(new Date(Date.now() + 1_500));
  const { bearer } = await ring.judge(`Bearer ${key}`, look);
  if (!bearer) throw new Error('the key must be good at first');
  let isEnded = false;
  ring.watch(bearer, () => {
    isEnded = true;
  });

  await until(() => isEnded, { deadlineMs, what: 'the end of what was open' });

  expect(await judge(ring, key)).toBe('ended');
});

test('a key that nobody has, a wrong secret and no key are told apart', async () => {
  const ring = await startRing();
  const { key } = await make();

  expect(await judge(ring, key)).toBe('acme');
  expect(await judge(ring, `${key.slice(0, -1)}${key.endsWith('a') ? 'b' : 'a'}`)).toBe('unknown');
  expect(await judge(ring, `wnw_${'a'.repeat(40)}`)).toBe('unknown');
  expect((await ring.judge(undefined, look)).refusal).toBe('missing');
  expect((await ring.judge(key, look)).refusal).toBe('missing');
});

test('an address that is held off causes no look-up, and its right key is served', async () => {
  let lookUps = 0;
  const lookUpDb = {
    get query() {
      lookUps += 1;
      return db.query;
    },
  };
  const { key } = await make();
  const ring = await startRing({ lookUpDb });

  expect(await judge(ring, `wnw_${'a'.repeat(40)}`, noLook)).toBe('unknown');
  expect(await judge(ring, 'anything-else-0123456789abcdef')).toBe('unknown');
  expect(await judge(ring, key, noLook)).toBe('acme');
  expect(lookUps).toBe(0);
  expect(await judge(ring, `wnw_${'a'.repeat(40)}`)).toBe('unknown');
  expect(lookUps).toBe(1);
});

test('the first key closes an open server for good, also where the table is emptied', async () => {
  const ring = await startRing();
  const { bearer } = await ring.judge(undefined, look);
  expect([bearer?.owner, ring.isOpen()]).toEqual(['local', true]);
  let isEnded = false;
  ring.watch(bearer as never, () => {
    isEnded = true;
  });

  const { key } = await make();
  await until(() => isEnded, { deadlineMs, what: 'the end of what was open' });
  expect([await judge(ring, key), ring.isOpen()]).toEqual(['acme', false]);

  await db.sql`delete from api_keys`;
  await until(async () => (await judge(ring, key)) === 'unknown', { deadlineMs, what: 'its end' });
  expect([(await ring.judge(undefined, look)).refusal, ring.isOpen()]).toEqual(['missing', false]);
});

test('a revoked key keeps a server closed', async () => {
  const { apiKey } = await make();
  await revokeApiKey(db, apiKey.id, null);

  expect((await startRing()).isOpen()).toBe(false);
});

test('without its database a process takes keys of the environment alone', async () => {
  const away = openDatabase(url);
  const subscribe = () => () => undefined;
  const fixed = new Map([['of-the-environment', { owner: 'env', scopes: ['READ'] as const }]]);
  const ring = createKeyring({ fixed, db: away, lookUpDb: away, subscribe, maxAgeMs: 2_000 });
  const { key } = await make();
  await ring.start();
  expect(await judge(ring, key)).toBe('acme');

  await away.close();

  await until(
    () =>
      judge(ring, key).then(
        () => false,
        ({ code }) => code === 'DATABASE_UNAVAILABLE',
      ),
    { deadlineMs, what: 'a key that cannot be told to be good' },
  );
  expect(await judge(ring, 'of-the-environment')).toBe('env');
});

test('a request waits less for a newer copy where the database is known to be away', async () => {
  const { key } = await make();
  const [usual, away] = [
    await startRing({ maxAgeMs: 1 }),
    await startRing({ maxAgeMs: 1, isAway: () => true }),
  ];
  const holder = postgres(url, { max: 1 });
  const held = await holder.reserve();
  await held`begin`;
  await held`lock table api_keys`;

  const failed = (ring: Keyring, name: string) =>
    judge(ring, key).then(
      () => 'neither',
      ({ code }) => `${name}: ${code}`,
    );
  const first = await Promise.race([failed(usual, 'usual'), failed(away, 'away')]);
  await held`rollback`;
  held.release();
  await holder.end();

  expect(first).toBe('away: DATABASE_UNAVAILABLE');
});
