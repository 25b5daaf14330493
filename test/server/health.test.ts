/** What a load balancer asks. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let app: App;
beforeAll(async () => {
  database = await createTestDatabase();
  app = await startApp(
    { API_KEYS: 'anna:anna-key-0123456789abcdefgh' },
    { databaseUrl: database.url },
  );
});
afterAll(async () => {
  await app.stop();
});

it('is well as long as the database is, and asks for no key', async () => {
  const well = await fetch(`${app.url}/health`);
  const head = await fetch(`${app.url}/health`, { method: 'HEAD' });
  const post = await fetch(`${app.url}/health`, { method: 'POST' });
  await database.drop();
  const ill = await fetch(`${app.url}/health`);

  expect([well.status, await well.json()]).toEqual([200, { status: 'ok' }]);
  expect([head.status, await head.text()]).toEqual([200, '']);
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect([ill.status, await ill.json()]).toEqual([503, { status: 'the database does not answer' }]);
});
