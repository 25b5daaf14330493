/**
 * Clients that vanish: whatever they watched is let go. The server is built by hand, so that what
 * is watched can be counted.
 */
import { request } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import WebSocket from 'ws';
import { submitBatch } from '../../../src/app/store-batch.ts';
import { readConfig } from '../../../src/config.ts';
import { createCounter } from '../../../src/counting/counter.ts';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { openCopy } from '../../../src/db/driver/copy.ts';
import { createRequestLine } from '../../../src/db/driver/request-line.ts';
import { createProgress, type Progress } from '../../../src/engine/live/progress.ts';
import { createNudges } from '../../../src/engine/process/nudges.ts';
import { createPlanner } from '../../../src/engine/run/plan.ts';
import { createSummaries } from '../../../src/engine/summaries/summaries.ts';
import { createCursors } from '../../../src/faces/graphql/cursors.ts';
import { createGraphQLFace } from '../../../src/faces/graphql/face.ts';
import { createKeyring } from '../../../src/faces/http/keyring.ts';
import { createRequestRate } from '../../../src/faces/http/request-rate.ts';
import { createHttpServer } from '../../../src/faces/http/server.ts';
import { createSignedLinks, newLinkKey } from '../../../src/faces/http/signed-link.ts';
import { createProviders } from '../../../src/model/providers.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import { createWebhooks } from '../../../src/webhooks/deliver.ts';
import { createTestDatabase } from '../../support/database.ts';
import { until } from '../../support/until.ts';
import { subscribeSse } from './support.ts';

const log = pino({ level: 'silent' });
let url: string;
let watches: ReturnType<typeof countWatches>;
let id: string;
let stop: () => Promise<void>;

beforeAll(async () => {
  const database = await createTestDatabase();
  const db = openDatabase(database.url);
  const events = createEvents(log);
  const nudges = createNudges({ db, log });
  await nudges.start();
  watches = countWatches(createProgress({ db, dbOf: () => db, nudges, log }));
  watches.progress.start();
  const providers = createProviders({
    configs: [],
    timeoutMs: 1_000,
    concurrency: 1,
    log,
  });
  const subscribe = () => () => undefined;
  const keyring = createKeyring({ fixed: new Map(), db, lookUpDb: db, subscribe });
  await keyring.start();
  const requestRate = createRequestRate({ limitsOf: () => null, events });
  const server = createHttpServer({
    config: readConfig({ PORT: '0' }),
    keyring,
    requestRate,
    faces: [
      createGraphQLFace({
        keyring,
        introspection: true,
        publicUrl: null,
        log,
        services: {
          line: createRequestLine(
            { db, copy: openCopy(database.url) },
            { statements: 8, copies: 6 },
          ),
          links: createSignedLinks({ key: newLinkKey() }),
          cursors: createCursors(newLinkKey()),
          nudges,
          progress: watches.progress,
          summaries: createSummaries({ db, log }),
          modelsOf: () => ({
            providers,
            preparePlan: createPlanner({ providers, defaultModel: 'test/rules' }),
          }),
          limitsOf: () => null,
          callsOf: () => 0,
          requestRate,
          counter: createCounter(),
          defaultModel: 'test/rules',
          withKeys: false,
          ownProcess: { id: () => null, concurrency: 1 },
          callLedger: { accountOf: () => ({ add: () => undefined }) },
          ownerBudget: { admit: async () => () => undefined, forgetHeld: () => undefined },
          retention: { batchSeconds: null, contentSeconds: null, fileSeconds: null, hours: null },
          limits: { owners: new Map(), others: null },
          concurrency: 1,
          log,
          events,
          tracing: null,
          webhooks: createWebhooks({
            db,
            keysOf: () => [],
            allowPrivate: false,
            log,
            events,
          }),
          webhookSecretOf: () => '',
          checkWebhook: async () => null,
        },
      }),
    ],
    log,
    events,
  });
  url = await server.listen();
  const asking = { requestId: 'test' };
  id = await submitBatch({ db, nudges, events, asking }, 'local', {
    operation: 'run',
    options: { instructions: 'x' },
    model: 'test/rules',
    source: { items: [{ customId: '0', content: 'x', metadata: null }] },
    autoStart: false,
    name: null,
    metadata: null,
    idempotencyKey: null,
    expiresInSeconds: null,
    webhookUrl: null,
    customIdPrefix: null,
    execution: 'LIVE',
    rescue: false,
    contentField: null,
    customIdField: null,
  });
  stop = async () => {
    await server.drain(1_000);
    await server.close();
    await keyring.stop();
    await providers.close();
    await nudges.stop();
    await db.close();
    await database.drop();
  };
});
afterAll(() => stop());

const queries = [
  'subscription($id: ID!) { batchProgress(id: $id) { status } }',
  'subscription($id: ID!) { batchResults(id: $id) { cursor } }',
  'subscription { batchesChanged { id } }',
];

it('200 WebSocket clients that are cut off leave nothing behind', async () => {
  for (let round = 0; round < 10; round += 1) {
    await Promise.all(Array.from({ length: 20 }, (_, at) => vanish(at % 4)));
  }

  await until(() => watches.open() === 0, { deadlineMs: 5_000, what: 'all watches to be let go' });
  expect(watches.total()).toBeGreaterThan(300);
});

it('100 clients of server-sent events that are cut off leave nothing behind', async () => {
  const before = watches.total();
  for (let round = 0; round < 10; round += 1) {
    const clients = Array.from({ length: 10 }, (_, at) =>
      subscribeSse({ url }, queries[at % 3] as string, { id }),
    );
    const begun = before + (round + 1) * 10;
    await until(() => watches.total() >= begun, { deadlineMs: 5_000, what: 'subscriptions' });
    for (const client of clients) client.stop();
  }

  await until(() => watches.open() === 0, { deadlineMs: 5_000, what: 'all watches to be let go' });
});

it('clients of server-sent events that go before the answer begins leave nothing behind', async () => {
  const before = watches.total();
  for (let turns = 0; watches.total() < before + 100; turns = (turns + 1) % 40) {
    const client = request(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    });
    client.on('error', () => undefined); // its own end
    client.end(JSON.stringify({ query: queries[turns % 3], variables: { id } }));
    for (let turn = 0; turn < turns; turn += 1) await nextTurn();
    client.destroy();
  }

  await until(() => watches.open() === 0, { deadlineMs: 5_000, what: 'all watches to be let go' });
});

it('a subscription that the client completes is let go, the others of its socket are not', async () => {
  const socket = await open();
  subscribeAll(socket);
  await until(() => watches.open() === 3, { deadlineMs: 5_000, what: 'three subscriptions' });

  socket.send('{"id": "1", "type": "complete"}');

  await until(() => watches.open() === 2, { deadlineMs: 5_000, what: 'one to be let go' });
  socket.close();
  await until(() => watches.open() === 0, { deadlineMs: 5_000, what: 'the others to be let go' });
});

/** Subscribes to everything and is gone: at once, or after the first answers. */
async function vanish(patience: number): Promise<void> {
  const socket = await open();
  subscribeAll(socket);
  for (let messages = 0; messages < patience; messages += 1) {
    // batchesChanged and batchResults have nothing to say.
    if (messages === 0) await new Promise((resolve) => socket.once('message', resolve));
    else await new Promise((resolve) => setImmediate(resolve));
  }
  socket.terminate();
}

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const acknowledged = new Promise((resolve) => socket.once('message', resolve));
  socket.send('{"type": "connection_init"}');
  await acknowledged;
  return socket;
}

function subscribeAll(socket: WebSocket): void {
  for (const [index, query] of queries.entries()) {
    socket.send(
      JSON.stringify({
        id: String(index),
        type: 'subscribe',
        payload: { query, variables: { id } },
      }),
    );
  }
}

/** A Progress that knows how many of its watches nobody has ended yet. */
function countWatches(progress: Progress) {
  let open = 0;
  let total = 0;
  function counted<Value>(watch: AsyncIterableIterator<Value>): AsyncIterableIterator<Value> {
    let live = true;
    open += 1;
    total += 1;
    const end = () => {
      if (live) open -= 1;
      live = false;
    };
    return {
      async next() {
        const result = await watch.next();
        if (result.done) end();
        return result;
      },
      async return() {
        end();
        return (await watch.return?.()) ?? { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
  return {
    open: () => open,
    total: () => total,
    progress: {
      ...progress,
      watchBatch: (...args) => counted(progress.watchBatch(...args)),
      watchOwner: (...args) => counted(progress.watchOwner(...args)),
      watchResults: (...args) => counted(progress.watchResults(...args)),
    } satisfies Progress,
  };
}
