/**
 * What a process opens to Postgres while it takes files, writes outputs, answers reads and works.
 */
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { divideConnections } from '../../src/db/driver/connections.ts';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createLogTo } from '../support/logged.ts';
import { until } from '../support/until.ts';

const texts = Array.from({ length: 2_000 }, (_, at) => `good ${at}`);

/** Counts the connections of the app's processes, again and again, until it is stopped. */
function watchConnections({ databaseUrl }: App) {
  const sql = postgres(databaseUrl, { max: 1, connection: { application_name: 'observer' } });
  let most = 0;
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from pg_stat_activity
        where datname = current_database() and application_name like 'winnow%'
          and backend_type = 'client backend'`;
      most = Math.max(most, row?.count ?? 0);
    }
  })();
  return async () => {
    stopped = true;
    await watching;
    await sql.end();
    return most;
  };
}

async function upload(app: App): Promise<number> {
  const body = texts.join('\n').repeat(5);
  const response = await fetch(`${app.url}/files?name=x.txt`, { method: 'POST', body });
  await response.arrayBuffer();
  return response.status;
}

async function download(app: App, id: string): Promise<number> {
  const response = await fetch(`${app.url}/batches/${id}/output?format=jsonl`);
  const text = await response.text();
  return text.split('\n').length - 1;
}

async function read(app: App): Promise<number> {
  const { errors, status } = await app.graphql(
    '{ batches { totalCount edges { node { id counts { total } } } } }',
  );
  expect(errors).toBeUndefined();
  return status;
}

const times = <T>(count: number, work: () => Promise<T>) =>
  Promise.all(Array.from({ length: count }, work));

it.each(['24', '8'])('a process keeps within DATABASE_CONNECTIONS=%s', async (setting) => {
  const app = await startApp({ DATABASE_CONNECTIONS: setting });
  const stop = watchConnections(app);
  try {
    const id = await submitTexts(app, texts);
    const [uploads, downloads, reads] = await Promise.all([
      times(12, () => upload(app)),
      times(12, () => download(app, id)),
      times(40, () => read(app)),
      untilEnded(app, id),
    ]);
    const most = await stop();

    expect(uploads).toEqual(Array(12).fill(201));
    expect(downloads).toEqual(Array(12).fill(texts.length));
    expect(reads).toEqual(Array(40).fill(200));
    expect(most).toBeLessThanOrEqual(Number(setting));
    // One owner never has all places of requests, uploads and downloads.
    expect(most).toBeGreaterThanOrEqual(Number(setting) / 2);
  } finally {
    await stop();
    await app.stop();
  }
});

it.each([8, 9, 12, 24, 100, 1_000])('%i connections are divided without a rest', (total) => {
  const { engine, requests, copies } = divideConnections(total, { serves: true });

  expect(1 + engine + requests + 2 * copies).toBe(total);
  expect(Math.min(engine, requests, copies)).toBeGreaterThanOrEqual(1);
  expect(divideConnections(total, { serves: false }).engine).toBe(total - 1);
});

it('a lease that cannot be renewed breaks the connections of the engine, and no request', async () => {
  const { logTo, lines } = createLogTo();
  const app = await startApp({ WORKER_LEASE_MS: '1000', LOG_LEVEL: 'warn' }, { logTo });
  const sql = postgres(app.databaseUrl, { max: 2 });
  try {
    const id = await submitTexts(app, ['one'], { autoStart: false });
    const asked = await sql.begin(async (holder) => {
      // Renewals wait for the one table, and what reads items for the other.
      await holder`lock table workers, results in access exclusive mode`;
      const answer = app.graphql(`{ batch(id: "${id}") { items { edges { node { status } } } } }`);
      await until(
        async () =>
          (
            await sql`
              select from pg_stat_activity
              where datname = current_database() and wait_event_type = 'Lock'
                and query like '%rowsOfPage%'`
          ).count === 1,
        { deadlineMs: 5_000, what: 'the request waits for the database' },
      );
      await until(() => lines.some(({ msg }) => msg === 'could not renew the lease'), {
        deadlineMs: 5_000,
        what: 'a renewal is given up',
      });
      return { answer };
    });

    const { data, errors } = await asked.answer;

    expect(errors).toBeUndefined();
    expect(data?.batch.items.edges).toEqual([{ node: { status: 'PENDING' } }]);
  } finally {
    await sql.end();
    await app.stop();
  }
});
