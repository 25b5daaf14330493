/**
 * A database that was copied while a batch ran. Beside its original the copy serves and does not
 * work, until it is adopted or has forgotten what it had to do.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { nodeEnv, nodeFlags } from '../support/from-source.ts';
import { createLogTo } from '../support/logged.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../webhooks/support.ts';

const total = 300;
const concurrency = 16;
const deadlineMs = 30_000;
const options = {
  WORKER_CONCURRENCY: String(concurrency),
  WEBHOOK_ALLOW_PRIVATE: 'true',
};

let database: TestDatabase;
let original: App;
let receiver: Receiver;
let id: string;
const copies: string[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  receiver = await startReceiver();
  original = await startApp(options, { databaseUrl: database.url });
  original.sandbox.faults.add({ fault: { kind: 'latency', ms: 100 } });
  const submitted = await original.graphql(
    `mutation($texts: [String!]!, $url: String!) {
      submitBatch(input: {
        operation: {label: {categories: ["a", "b"]}}, source: {texts: $texts}, webhookUrl: $url, deduplicate: false
      }) { batch { id } }
    }`,
    { texts: Array.from({ length: total }, (_, at) => `text ${at}`), url: receiver.url },
  );
  id = submitted.data?.submitBatch.batch.id;
  await until(() => original.sandbox.requests.answered > 40, { deadlineMs, what: 'a few answers' });
  // As it is at this instant, with what its worker holds. A template must have no connection.
  await original.service.stop({ hurry: true });
  for (const name of ['adopted', 'forgotten']) copies.push(await copyOf(database.url, name));
});
afterAll(async () => {
  await original.sandbox.close();
  await receiver.close();
  for (const url of copies) await dropAt(url);
  await database.drop();
});

async function asAdmin(work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(inject('postgresUrl'), { max: 1 });
  await work(sql).finally(() => sql.end());
}

async function copyOf(url: string, name: string): Promise<string> {
  const copy = new URL(url);
  const template = copy.pathname.slice(1);
  copy.pathname = `/${template}_${name}`;
  await asAdmin(
    (sql) => sql`create database ${sql(`${template}_${name}`)} template ${sql(template)}`,
  );
  return copy.href;
}

async function dropAt(url: string): Promise<void> {
  await asAdmin((sql) => sql`drop database ${sql(new URL(url).pathname.slice(1))} with (force)`);
}

/** What the command prints on standard output. */
async function winnow(args: string[], databaseUrl: string): Promise<string> {
  const child = spawn(process.execPath, [...nodeFlags, 'src/cli/main.ts', ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...nodeEnv, PATH: process.env.PATH ?? '', DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  for await (const piece of child.stdout) out += String(piece);
  return out;
}

it('a copy serves and sends nothing, says so, and works on once it is adopted', async () => {
  const [databaseUrl = ''] = copies;
  const { logTo, lines } = createLogTo();
  const sandbox = await startFaultySandbox();
  const before = original.sandbox.requests.count;
  const copy = await startApp({ ...options, LOG_LEVEL: 'info' }, { databaseUrl, sandbox, logTo });
  const ready = async () => {
    const response = await fetch(`${copy.url}/readyz`);
    return { status: response.status, body: await response.json() };
  };
  const statusOf = async () =>
    (await copy.graphql('query($id: ID!) { batch(id: $id) { status } }', { id })).data?.batch
      .status;
  // As long as a worker of the copy would need to take over.
  await until(
    async () => {
      const [open] = await rowsOf(databaseUrl, "select from chunks where state = 'leased'");
      return open === undefined;
    },
    { deadlineMs, what: 'what the original held to be open' },
  );

  expect(await statusOf()).toBe('PROCESSING');
  expect(sandbox.requests.count).toBe(0);
  expect(receiver.received).toHaveLength(0);
  expect(await ready()).toMatchObject({
    status: 503,
    body: { status: 'adopt', checks: { adopt: false } },
  });
  expect(lines.filter(({ msg }) => msg.includes('is a copy of another one'))).toHaveLength(1);

  expect(await winnow(['database', 'adopt'], databaseUrl)).toBe(
    'Adopted: its work is done from now on.\n',
  );
  const batch = await untilEnded(copy, id);
  await until(() => receiver.received.length > 0, { deadlineMs, what: 'the webhook' });

  expect(batch.status).toBe('COMPLETED');
  expect(before + sandbox.requests.count).toBeLessThanOrEqual(total + concurrency);
  expect(await ready()).toMatchObject({ status: 200 });
  expect(await winnow(['database', 'adopt'], databaseUrl)).toBe('It is not a copy.\n');
  await copy.stop();
  await sandbox.close();
});

it('a copy that forgets its work sends nothing of it, ever, and is one no longer', async () => {
  const [, databaseUrl = ''] = copies;
  const sandbox: Sandbox = await startFaultySandbox();
  receiver.received.length = 0;
  const copy = await startApp(options, { databaseUrl, sandbox });

  const told = JSON.parse(
    await winnow(['database', 'forget-work', '--json'], databaseUrl),
  ) as object;
  const status = (await copy.graphql('query($id: ID!) { batch(id: $id) { status } }', { id })).data
    ?.batch.status;
  await until(async () => (await fetch(`${copy.url}/readyz`)).status === 200, {
    deadlineMs,
    what: 'an adopted copy',
  });

  expect(told).toMatchObject({ batches: 1, providerBatches: 0, webhooks: 1 });
  expect(status).toBe('CANCELLED');
  expect(sandbox.requests.count).toBe(0);
  expect(receiver.received).toHaveLength(0);
  await copy.stop();
  await sandbox.close();
});

it('the original is not a copy, and forgets nothing unless it is told twice', async () => {
  expect(await winnow(['database', 'adopt'], database.url)).toBe('It is not a copy.\n');
  expect(
    JSON.parse(await winnow(['database', 'forget-work', '--json'], database.url)),
  ).toMatchObject({
    error: { message: expect.stringContaining('is not a copy') },
  });
});

async function rowsOf(url: string, query: string): Promise<object[]> {
  const sql = postgres(url, { max: 1 });
  return await sql.unsafe(query).finally(() => sql.end());
}
