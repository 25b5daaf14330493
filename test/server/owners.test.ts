/** What the operator sees of owners, and the end of one: no table has its name afterwards. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { nodeEnv, nodeFlags } from '../support/from-source.ts';
import { until } from '../support/until.ts';
import { type Receiver, startReceiver } from '../webhooks/support.ts';

const owner = 'acme-wombat';
const ownKey = 'own-key-0123456789abcdefgh';
const otherKey = 'other-key-0123456789abcdefgh';
const headers = { authorization: `Bearer ${ownKey}` };
const deadlineMs = 15_000;

let app: App;
let receiver: Receiver;
let sql: postgres.Sql;
beforeAll(async () => {
  receiver = await startReceiver();
  app = await startApp({
    API_KEYS: `${owner}:${ownKey},other:${otherKey}`,
    BUDGETS: JSON.stringify({ [owner]: { monthlyUsd: 50 } }),
    LIMITS: JSON.stringify({ [owner]: { itemsPerDay: 1_000 } }),
    PRICES: JSON.stringify({ 'test/rules': { input: 1, output: 2 } }),
    WEBHOOK_ALLOW_PRIVATE: 'true',
  });
  sql = postgres(app.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
  await receiver.close();
});

/** What `winnow owners` answers with --json. */
async function owners(...args: string[]): Promise<any> {
  const child = spawn(
    process.execPath,
    [...nodeFlags, 'src/cli/main.ts', 'owners', ...args, '--json'],
    {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...nodeEnv, PATH: process.env.PATH ?? '', DATABASE_URL: app.databaseUrl },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let out = '';
  for await (const piece of child.stdout) out += String(piece);
  return JSON.parse(out);
}

/** The columns of all tables that hold the name, as the catalogue lists them. */
async function columnsWithName(): Promise<string[]> {
  const columns = await sql<{ table: string; column: string }[]>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public' and data_type in ('text', 'character varying', 'json', 'jsonb')
    order by 1, 2`;
  const found: string[] = [];
  for (const { table, column } of columns) {
    const [row] = await sql`
      select from ${sql(table)} where ${sql(column)}::text ilike ${`%${owner}%`} limit 1`;
    if (row) found.push(`${table}.${column}`);
  }
  return found;
}

/** Batches, files and a call of the owner, with its name in all that can hold it. */
async function leaveTraces(): Promise<string> {
  await sql`
    insert into api_keys (id, owner, name, hash, scopes)
    values ('12345678', ${owner}, ${`${owner} key`}, 'none', 'READ')`;
  const id = await submitTexts(app, [`${owner} one`, 'two'], {
    headers,
    name: `${owner} batch`,
    metadata: { of: owner },
    idempotencyKey: owner,
    customIdPrefix: owner,
    webhookUrl: `${receiver.url}/${owner}`,
  });
  await untilEnded(app, id, headers);
  const form = new FormData();
  form.set('operation', 'label');
  form.set('categories', `${owner},other`);
  form.set('auto_start', 'false');
  form.set('file', new Blob([`text,${owner}\none,${owner}\n`]), `${owner}.csv`);
  await fetch(`${app.url}/files`, { method: 'POST', headers, body: form });
  await app.graphql(
    `mutation { label(items: [{content: "x"}], options: {categories: ["a", "b"]}) { results { label } } }`,
    {},
    headers,
  );
  await until(() => receiver.received.length > 0, { deadlineMs, what: 'the webhook' });
  await until(async () => (await sql`select from spending where batch_key < 0`).count > 0, {
    deadlineMs,
    what: 'what the call has cost',
  });
  return id;
}

it('erase leaves the name of an owner in no table, and what was spent', async () => {
  const [{ count: ownerColumns } = { count: 0 }] = await sql<{ count: number }[]>`
    select count(*)::int as count from information_schema.columns
    where table_schema = 'public' and column_name = 'owner' and table_name <> 'chunks'`;
  const id = await leaveTraces();
  const ofOther = await submitTexts(app, ['three'], {
    headers: { authorization: `Bearer ${otherKey}` },
  });
  const before = await columnsWithName();
  const listed = await owners('list');

  const erased = await owners('erase', owner);
  const after = await columnsWithName();
  const left = await owners('list');
  const again = await owners('erase', owner);

  // A new table with owners must be filled above, and be known to erase.
  expect(before.filter((column) => column.endsWith('.owner'))).toHaveLength(ownerColumns);
  expect(before).toEqual(
    expect.arrayContaining([
      'batches.name',
      'batches.options',
      'files.name',
      'rows.content',
      'webhooks.endpoint',
      'webhooks.url',
    ]),
  );
  expect(listed.owners).toMatchObject([
    { owner, batches: 2, files: 1, bytes: expect.any(Number), lastUsedAt: expect.any(String) },
    { owner: 'other', batches: 1, files: 0 },
  ]);
  expect(erased).toMatchObject({ owner, keys: 1, batches: 2, files: 1, waitingBatches: 0 });
  expect(erased.spending.sums).toBeGreaterThan(0);
  expect(after).toEqual([]);
  expect(left.owners).toMatchObject([{ owner: 'other', batches: 1 }]);
  expect(again).toMatchObject({ owner, keys: 0, batches: 0, files: 0, spending: { sums: 0 } });
  const [spent] = await sql`
    select sum(requests)::int as requests from spending where owner = ${erased.spending.owner}`;
  expect(spent?.requests).toBeGreaterThan(0);
  const { data } = await app.graphql(`{ batch(id: "${id}") { id } }`, {}, headers);
  expect(data?.batch).toBeNull();
  const other = await app.graphql(
    `{ batch(id: "${ofOther}") { id } }`,
    {},
    { authorization: `Bearer ${otherKey}` },
  );
  expect(other.data?.batch).not.toBeNull();
});

it('an owner that is back after its erasure spends of its budget', async () => {
  await app.graphql(
    `mutation { label(items: [{content: "x"}], options: {categories: ["a", "b"]}) { results { label } } }`,
    {},
    headers,
  );
  const spent = async () => {
    const { data } = await app.graphql(
      '{ spending { usage { requests } budgetUsd remainingUsd } }',
      {},
      headers,
    );
    return data?.spending;
  };
  await until(async () => (await spent()).usage.requests === 1, { deadlineMs, what: 'the call' });

  const { budgetUsd, remainingUsd } = await spent();
  expect(remainingUsd).toBeLessThan(budgetUsd);
});

it('erase cuts off a batch that runs', async () => {
  app.sandbox.faults.add({ fault: { kind: 'latency', ms: 600_000 } });
  const id = await submitTexts(app, ['for ever'], { headers });
  const { answered } = app.sandbox.requests;
  await until(() => app.sandbox.requests.count > answered, { deadlineMs, what: 'the call' });

  const erased = await owners('erase', owner);

  expect(erased).toMatchObject({ batches: 1, waitingBatches: 0 });
  expect((await sql`select from batches where id = ${id}`).count).toBe(0);
  app.sandbox.faults.clear();
});
