/** What `npm run seed` leaves on a server. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { seedBatches } from './seed-batches.ts';

let app: App;
beforeAll(async () => {
  app = await startApp({ DEFAULT_MODEL: 'sandbox/rules' });
});
afterAll(async () => {
  await app.stop();
});

it('makes ten batches, in each state that lasts', async () => {
  const batches = await seedBatches(app.url);

  expect(batches.length).toBe(10);
  expect(new Set(batches.slice(0, -1).map(({ status }) => status))).toEqual(
    new Set(['completed', 'draft', 'cancelled', 'expired', 'failed']),
  );
});
