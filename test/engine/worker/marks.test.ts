/** What the database knows of requests before they go out. */
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { ask, submit, texts, untilEnded } from './support.ts';

test('with every place of the provider taken some more items are marked, and no more than three', async () => {
  const sandbox = await startFaultySandbox();
  const app = await startApp(
    {
      WORKER_CONCURRENCY: '32',
      PROVIDERS: JSON.stringify({
        test: { baseURL: sandbox.url, models: ['rules'], limits: { concurrency: 8 } },
      }),
    },
    { sandbox },
  );
  const sql = postgres(app.databaseUrl, { max: 1 });
  const marked = async () => {
    const [row] = await sql`
      select sum(sent_to - first + 1)::int as items from chunks where state = 'leased'`;
    return Number(row?.items);
  };
  sandbox.faults.add({ fault: { kind: 'latency', ms: 60_000 } });

  const id = await submit(app, texts(100));
  await until(async () => sandbox.inFlight === 8 && (await marked()) > 8, {
    deadlineMs: 10_000,
    what: 'marks ahead of the places',
  });

  expect(await marked()).toBeLessThanOrEqual(8 + 3);
  await ask(app, 'mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });
  const batch = await untilEnded(app, id);
  expect(batch.status).toBe('CANCELLED');
  expect(batch.resentRequests).toBe(0);
  await sql.end();
  await app.stop();
  await sandbox.close();
});
