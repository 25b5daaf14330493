/** Items under which workers died: nothing else of the process is under way beside them. */
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { ask, readBatch, submit, textOf, texts, untilEnded } from './support.ts';

let app: App;
let sql: postgres.Sql;

beforeAll(async () => {
  app = await startApp({ WORKER_CONCURRENCY: '8' });
  sql = postgres(app.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
});
beforeEach(() => {
  app.sandbox.faults.clear();
  app.sandbox.requests.clear();
  app.sandbox.requests.keep(1_000);
});

/** A batch whose items have each crashed so often, started. Returns its id. */
async function submitCrashed(source: string[], crashes: number): Promise<string> {
  const id = await submit(app, source, { autoStart: false });
  await sql`
    update chunks set crashes = ${crashes}
    where batch_key = (select key from batches where id = ${id})`;
  await ask(app, 'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });
  return id;
}

/** The texts that the sandbox is being asked about. */
function underWay(): string[] {
  return app.sandbox.requests.journal
    .filter(({ answered, aborted }) => answered === null && !aborted)
    .map(({ body }) => textOf(body));
}

test('an item in quarantine is sent when nothing else is under way, and nothing else is sent while it is', async () => {
  app.sandbox.faults.add({ fault: { kind: 'latency', medianMs: 20, sigma: 0.5 } });
  const together: string[][] = [];
  void app.sandbox.until(() => {
    const now = underWay();
    if (now.some((text) => text.startsWith('poison'))) together.push(now);
    return false;
  });
  const other = await submit(app, texts(500));
  await app.recorded(other, 11);

  const quarantined = await submitCrashed(['poison 1', 'poison 2', 'poison 3'], 3);
  const batch = await untilEnded(app, quarantined);
  const meanwhile = await readBatch(app, other);
  await untilEnded(app, other);

  expect(batch.counts.succeeded).toBe(3);
  expect(meanwhile.status).toBe('PROCESSING');
  expect(together.length).toBeGreaterThanOrEqual(3);
  for (const group of together) expect(group).toHaveLength(1);
});

test('an item in quarantine whose model is closed for a while holds up nobody', async () => {
  app.sandbox.faults.add({ fault: { kind: 'rate_limited', retryAfterMs: 1_500 }, times: 1 });
  const limited = await submit(app, ['limited']);
  await app.sandbox.until(({ requests }) => requests.answered === 1);
  const quarantined = await submitCrashed(['poison'], 3);
  await app.first('batch.started', { batch: quarantined });

  const other = await submit(app, texts(20), {
    operation: { label: { categories: ['a', 'b'], model: 'sandbox/rules' } },
  });
  await untilEnded(app, other);

  expect(app.sandbox.requests.count).toBe(1);
  expect((await untilEnded(app, quarantined)).counts.succeeded).toBe(1);
  expect((await untilEnded(app, limited)).counts.succeeded).toBe(1);
});
