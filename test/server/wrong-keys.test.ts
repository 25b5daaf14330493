/** Keys that fail, over HTTP, where many come together. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createApiKey } from '../../src/app/api-keys.ts';
import { type Database, openDatabase } from '../../src/db/driver/client.ts';
import { type App, startApp } from '../support/app.ts';
import { createLogTo } from '../support/logged.ts';

const ownKey = 'k'.repeat(24);
const { logTo, lines } = createLogTo();

let app: App;
let db: Database;
let lookUps: number;
beforeAll(async () => {
  // Each test comes from an address of its own.
  const env = { API_KEYS: `acme:${ownKey}`, LOG_LEVEL: 'info', TRUSTED_PROXIES: '127.0.0.1' };
  app = await startApp(env, { logTo });
  app.service.events.on('db.query', ({ statement }) => {
    if (statement === 'select api_keys') lookUps += 1;
  });
  db = openDatabase(app.databaseUrl);
});
afterAll(async () => {
  await db.close();
  await app.stop();
});
beforeEach(() => {
  lookUps = 0;
});

async function statusOf(key: string, address: string): Promise<number> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      'x-forwarded-for': address,
    },
    body: '{"query": "{ __typename }"}',
  });
  await response.arrayBuffer();
  return response.status;
}

const count = (statuses: readonly number[], wanted: number) =>
  statuses.filter((status) => status === wanted).length;
const wrongKeys = (number: number) =>
  Array.from({ length: number }, (_, at) => `wnw_${String(at).padStart(40, '0')}`);
const newKey = async () => {
  const wanted = { owner: 'acme', name: 'new', scopes: ['READ'] as const, expiresAt: null };
  return (await createApiKey(db, wanted)).key;
};

test('of a hundred wrong keys that come together twenty are looked up', async () => {
  const address = '192.0.2.1';
  const statuses = await Promise.all(wrongKeys(100).map((key) => statusOf(key, address)));

  expect([count(statuses, 401), count(statuses, 429)]).toEqual([20, 80]);
  // The process may have read all keys meanwhile, by two statements more.
  expect(lookUps - 20).toBeLessThanOrEqual(2);
  expect(await statusOf(ownKey, address)).toBe(200);
  const warnings = lines.filter((line) => line.level === 40 && line.address === address);
  expect(warnings).toHaveLength(1);
});

test('a hundred wrong keys of another form that come together are refused in the same way', async () => {
  const wrong = Array.from({ length: 100 }, (_, at) => `wrong-key-${at}`);
  const statuses = await Promise.all(wrong.map((key) => statusOf(key, '192.0.2.2')));

  expect([count(statuses, 401), count(statuses, 429)]).toEqual([20, 80]);
  expect(lookUps).toBeLessThanOrEqual(2);
});

test('new keys that come together from one address are all served', async () => {
  const keys = await Promise.all(Array.from({ length: 40 }, newKey));
  const wrong = wrongKeys(10);

  const statuses = await Promise.all([...keys, ...wrong].map((key) => statusOf(key, '192.0.2.3')));

  expect([count(statuses, 200), count(statuses, 401)]).toEqual([40, 10]);
});
