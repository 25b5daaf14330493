/**
 * Clients that leave in the middle: told of at debug, in one line without a stack, and their reads
 * end in the database.
 */
import { connect } from 'node:net';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { submitTexts } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createLogTo } from '../support/logged.ts';
import { until } from '../support/until.ts';

const { logTo, lines } = createLogTo();
let app: App;
beforeAll(async () => {
  app = await startApp({ LOG_LEVEL: 'debug', ROLE: 'api' }, { logTo });
});
afterAll(() => app.stop());
beforeEach(() => {
  lines.length = 0;
});

/**
 * Sends this, waits for the first bytes that come back where there are any, and breaks the
 * connection.
 */
async function askAndLeave(text: string, { afterAnswer }: { afterAnswer: boolean }): Promise<void> {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(text);
  await new Promise((resolve) => socket.once(afterAnswer ? 'data' : 'connect', resolve));
  if (!afterAnswer) await new Promise((resolve) => setImmediate(resolve));
  socket.resetAndDestroy();
}

async function expectOneQuietLine(path: string): Promise<void> {
  await until(() => lines.some((line) => line.path === path), {
    deadlineMs: 10_000,
    what: 'a line',
  });
  const [line, ...more] = lines.filter(({ requestId }) => requestId === 'of-the-test');
  expect(more).toEqual([]);
  expect(line).toMatchObject({ level: 20, path, owner: 'local' });
  expect(line).not.toHaveProperty('err');
  expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
}

it('one who leaves an output', async () => {
  const texts = Array.from({ length: 9_000 }, (_, at) => `${at} ${'x'.repeat(1_700)}`);
  const id = await submitTexts(app, texts, { autoStart: false });
  const path = `/batches/${id}/output`;

  await askAndLeave(
    `GET ${path}?format=csv&include=input HTTP/1.1\r\nHost: localhost\r\nx-request-id: of-the-test\r\n\r\n`,
    { afterAnswer: true },
  );

  await expectOneQuietLine(path);
});

it('one who leaves an upload', async () => {
  await askAndLeave(
    'POST /files?name=a.txt HTTP/1.1\r\nHost: localhost\r\nx-request-id: of-the-test\r\ncontent-length: 1000000\r\n\r\none\ntwo\n',
    { afterAnswer: false },
  );

  await expectOneQuietLine('/files');
});

/** Asks for this, and is left by what it returns. */
type Ask = (query: string) => () => unknown;

const roads: [road: string, ask: Ask][] = [
  [
    'HTTP',
    (query) => {
      const leaving = new AbortController();
      const asked = fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
        signal: leaving.signal,
      });
      asked.catch(() => undefined);
      return () => leaving.abort();
    },
  ],
  [
    'a WebSocket',
    (query) => {
      const socket = app.socket();
      const ignore = () => undefined;
      socket.subscribe({ query }, { next: ignore, error: ignore, complete: ignore });
      return () => socket.terminate();
    },
  ],
];

it.each(roads)('one who leaves a query over %s takes its statement along', async (_road, ask) => {
  const id = await submitTexts(app, ['one'], { autoStart: false });
  const sql = postgres(app.databaseUrl, { max: 2 });
  const waiting = async () => {
    const [row] = await sql<{ count: number }[]>`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%rowsOfPage%'`;
    return row?.count;
  };
  try {
    await sql.begin(async (holder) => {
      // What reads items waits for this, until the end.
      await holder`lock table results in access exclusive mode`;
      const leave = ask(`{ batch(id: "${id}") { items { edges { node { status } } } } }`);
      await until(async () => (await waiting()) === 1, {
        deadlineMs: 10_000,
        what: 'the statement is at work',
      });

      leave();

      // Before a read that nobody leaves ends by itself, after 10 s.
      await until(async () => (await waiting()) === 0, {
        deadlineMs: 2_000,
        what: 'the statement has ended',
      });
    });
  } finally {
    await sql.end();
  }
});
