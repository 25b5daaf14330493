/**
 * Deliveries while processes die: a receiver that is told of every batch at least once, under one
 * id however often, whatever is killed in between.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/db/driver/client.ts';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { createRandom } from '../../src/sandbox/wire/random.ts';
import { startProcess, type WinnowProcess } from '../engine/worker/process.ts';
import { submit } from '../engine/worker/support.ts';
import { startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../webhooks/support.ts';

const seconds = Number(process.env.CHAOS_SECONDS ?? 30);
const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1e9));
const batches = 20 * seconds;
const processes = 2;
/** Each is a host of its own, which is called at most so often in a minute. */
const receivers = Math.ceil(batches / 20);
/** Deliveries to one host that are under way at most. */
const atOnce = 4;

let database: TestDatabase;
let sandbox: Sandbox;
let hosts: Receiver[];
beforeAll(async () => {
  database = await createTestDatabase();
  sandbox = await startFaultySandbox();
  hosts = await Promise.all(
    Array.from({ length: receivers }, () =>
      // Slow enough that a kill finds some under way.
      startReceiver((response) => setTimeout(() => response.end(), 3_000)),
    ),
  );
});
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  await sandbox.close();
  await database.drop();
});

test(`${batches} webhooks, one of ${processes} processes killed every second or two, seed ${seed}`, async () => {
  const { uniform } = createRandom(seed);
  // Nobody works here: what is submitted waits for the processes below.
  const api = await startApp(
    { ROLE: 'api', WEBHOOK_ALLOW_PRIVATE: 'true' },
    { databaseUrl: database.url, sandbox },
  );
  const ids: string[] = [];
  for (let at = 0; at < batches; at += 1) {
    ids.push(await submit(api, ['text'], { webhookUrl: hosts[at % receivers]?.url }));
  }
  await api.stop();

  const start = (name: string): Promise<WinnowProcess> =>
    startProcess(name, {
      databaseUrl: database.url,
      sandbox,
      env: { WEBHOOK_ALLOW_PRIVATE: 'true', WORKER_LEASE_MS: '2000' },
    });
  const crew = await Promise.all(
    Array.from({ length: processes }, (_, at) => start(`first-${at}`)),
  );
  const received = () => hosts.flatMap((host) => host.received);
  const told = () => new Set(received().map(({ headers }) => headers['webhook-id']));
  let kills = 0;
  let nextKillAt = Date.now() + 1_000;
  const endAt = Date.now() + seconds * 1_000;
  const heirs: Promise<unknown>[] = [];
  await until(
    () => {
      if (Date.now() >= nextKillAt && Date.now() < endAt && crew.length > 0) {
        const [victim] = crew.splice(Math.floor(uniform() * crew.length), 1);
        victim?.signal('SIGKILL');
        kills += 1;
        nextKillAt = Date.now() + 1_000 + uniform() * 1_000;
        heirs.push(start(`heir-${kills}`).then((heir) => crew.push(heir)));
      }
      return Date.now() >= endAt && told().size >= batches;
    },
    { deadlineMs: (seconds + 120) * 1_000, what: 'a delivery of every webhook' },
  );
  await Promise.all(heirs);

  // What was received and not recorded is due again within the lease of its claim.
  const db = openDatabase(database.url, { maxConnections: 1 });
  const pending = async () => {
    const [row] = await db.sql<{ pending: number }[]>`
      select count(*)::int as pending from webhooks where state = 'pending'`;
    return row?.pending;
  };
  await until(async () => (await pending()) === 0, {
    deadlineMs: 120_000,
    what: 'a record of every delivery',
  });
  await db.close();
  for (const one of crew) one.signal('SIGTERM');
  await Promise.all(crew.map(({ exited }) => exited));

  const again = received().length - told().size;
  process.stdout.write(
    `${JSON.stringify({ chaos: 'webhooks', seed, batches, kills, delivered: told().size, again })}\n`,
  );
  expect(kills).toBeGreaterThan(0);
  expect(told().size).toBe(batches);
  const byBatch = new Map<string, Set<unknown>>();
  for (const { body, headers } of received()) {
    const { id } = (JSON.parse(body) as { data: { id: string } }).data;
    byBatch.set(id, (byBatch.get(id) ?? new Set()).add(headers['webhook-id']));
  }
  expect([...byBatch.keys()].sort()).toEqual([...ids].sort());
  expect([...byBatch.values()].filter(({ size }) => size !== 1)).toEqual([]);
  expect(again).toBeLessThanOrEqual(kills * atOnce * receivers);
});
