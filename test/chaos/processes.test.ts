/**
 * Two servers and three workers over one database: whoever is asked knows everything, and workers
 * come and go.
 */
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import {
  followProgress,
  followResults,
  readBatch,
  submit,
  sumOf,
  texts,
} from '../engine/worker/support.ts';
import { until } from '../support/until.ts';
import { either, printFigures } from './run.ts';
import { accountFor, type Stage, setStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());

/** Nobody dies: a processor that is taken away for seconds must not look like a death. */
const long = { WORKER_LEASE_MS: '30000' };

test('progress and results reach subscribers on every server, while a worker joins and another leaves', async () => {
  const given = texts(either(3_000, 20_000));
  const [left, right, first] = await Promise.all([
    stage.start('left', { ROLE: 'api' }),
    stage.start('right', { ROLE: 'api' }),
    stage.start('first', long),
    stage.start('second', long),
  ]);
  const sockets = [left, right].map(({ url }) =>
    createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    }),
  );
  // Until the third has joined; a machine with other work starts a process in seconds.
  const slow = stage.sandbox.faults.add({ fault: { kind: 'latency', ms: 2_000 } });
  const id = await submit(left, given);
  const progress = sockets.map((socket) => followProgress(socket, id));
  const results = sockets.map((socket) => followResults(socket, id));

  await until(() => stage.askedBy('first').length > 100, { deadlineMs: 60_000, what: 'work' });
  const joined = stage.start('third', long);
  await until(() => stage.askedBy('third').length > 0, { deadlineMs: 60_000, what: 'the third' });
  slow();
  first.signal('SIGTERM');
  const code = await first.exited;
  const account = await accountFor(stage, [id], given);
  const ends = await Promise.all(
    progress.map(async (events) => ({ events: await events, at: Date.now() })),
  );
  const apartMs = Math.abs((ends[0]?.at ?? 0) - (ends[1]?.at ?? 0));
  const told = await Promise.all(results);
  const views = await Promise.all([left, right].map((server) => readBatch(server, id)));
  await Promise.all([joined, ...sockets.map((socket) => socket.dispose())]);

  printFigures('2 servers, 3 workers, one added and one removed', {
    items: given.length,
    'first server events': ends[0]?.events.length ?? 0,
    'second server events': ends[1]?.events.length ?? 0,
    'ends apart by ms': apartMs,
    'sent again': account.again,
  });
  expect(code).toBe(0);
  expect(account.again).toBe(0);
  expect(views[0]).toEqual(views[1]);
  for (const { events } of ends) {
    expect(events.at(-1)).toEqual(views[0]);
    for (const { counts } of events) expect(sumOf(counts)).toBe(given.length);
  }
  for (const indexes of told) {
    expect(indexes.sort((a, b) => a - b)).toEqual(given.map((_, index) => index));
  }
});
