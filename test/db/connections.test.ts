/**
 * What a process opens to Postgres while it takes files, writes outputs, answers reads and works.
 */
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { divideConnections } from '../../src/db/driver/connections.ts';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';

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
