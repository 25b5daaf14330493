/**
 * `winnow database dump` in the middle of a batch, and `restore` of the file elsewhere: nothing is
 * sent there before it is adopted, and little is sent twice afterwards.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { type Folder, openFolder } from '../cli/support.ts';
import { untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const total = 600;
const concurrency = 16;
const deadlineMs = 30_000;
const env = { WORKER_CONCURRENCY: String(concurrency), WORKER_LEASE_MS: '3000' };

let database: TestDatabase;
let elsewhere: TestDatabase;
let folder: Folder;
let original: App;
let id: string;
beforeAll(async () => {
  [database, elsewhere] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  folder = openFolder({ DATABASE_URL: database.url });
  original = await startApp(env, { databaseUrl: database.url });
  // Long enough that the batch runs when the command is there.
  original.sandbox.faults.add({ fault: { kind: 'latency', ms: 500 } });
  const submitted = await original.graphql(
    `mutation($texts: [String!]!) {
      submitBatch(input: {
        operation: {label: {categories: ["a", "b"]}}, source: {texts: $texts}, deduplicate: false
      }) { batch { id } }
    }`,
    { texts: Array.from({ length: total }, (_, at) => `text ${at}`) },
  );
  id = submitted.data?.submitBatch.batch.id;
  await until(() => original.sandbox.requests.answered > 40, { deadlineMs, what: 'a few answers' });
});
afterAll(async () => {
  await original.stop();
  folder.remove();
  await Promise.all([database.drop(), elsewhere.drop()]);
});

it('a dump in the middle of a batch is a copy elsewhere, which pays for what is open alone', async () => {
  const dumped = await folder.json(['database', 'dump', 'winnow.sql']);
  expect(dumped).toMatchObject({ code: 0, file: 'winnow.sql', tables: { batches: 1 } });
  expect(dumped.bytes).toBe(statSync(folder.file('winnow.sql')).size);
  expect(statSync(folder.file('winnow.sql')).mode & 0o777).toBe(0o600);
  await original.service.stop({ hurry: true });

  const restored = await folder.json(['database', 'restore', 'winnow.sql'], {
    env: { DATABASE_URL: elsewhere.url },
  });
  expect(restored).toMatchObject({ code: 0, tables: dumped.tables });
  const stored = restored.tables.results;
  expect(stored).toBeLessThan(total);

  const sandbox = await startFaultySandbox();
  const copy = await startApp(env, { databaseUrl: elsewhere.url, sandbox });
  const readyz = async () =>
    ((await (await fetch(`${copy.url}/readyz`)).json()) as { status: string }).status;
  // As long as a worker of the copy would need to take over.
  await until(async () => (await countLeased()) === 0, { deadlineMs, what: 'no worker of before' });
  expect(await readyz()).toBe('adopt');
  expect(sandbox.requests.count).toBe(0);

  const adopted = await folder.run(['database', 'adopt'], { env: { DATABASE_URL: elsewhere.url } });
  expect(adopted.code).toBe(0);
  const batch = await untilEnded(copy, id);

  expect(batch).toMatchObject({ status: 'COMPLETED', counts: { succeeded: total } });
  expect(sandbox.requests.count).toBe(total - stored);
  const { data } = await copy.graphql('query($id: ID!) { batch(id: $id) { resentRequests } }', {
    id,
  });
  expect(data?.batch.resentRequests).toBeGreaterThan(0);
  expect(data?.batch.resentRequests).toBeLessThanOrEqual(concurrency);
  await copy.stop();
  await sandbox.close();
});

it('a dump overwrites nothing, and a restore adds to nothing', async () => {
  const before = readFileSync(folder.file('winnow.sql'));

  expect(await folder.run(['database', 'dump', 'winnow.sql'])).toMatchObject({
    code: 2,
    out: '',
    err: 'winnow.sql must be a new file, and is there already\n',
  });
  expect(await folder.run(['database', 'restore', 'winnow.sql'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('The database must be empty'),
  });

  expect(readFileSync(folder.file('winnow.sql')).equals(before)).toBe(true);
});

it.each([{ flags: [] }, { flags: ['--json'] }])(
  'a file that is not there ends a restore in a sentence ($flags)',
  async ({ flags }) => {
    const { code, out, err } = await folder.run(['database', 'restore', 'missing.sql', ...flags], {
      env: { DATABASE_URL: elsewhere.url },
    });

    expect(code).toBe(1);
    expect(out + err).toContain('There is no file or folder missing.sql');
    expect(out + err).not.toContain('at ');
  },
);

it.each([
  ['database dump winnow.sql'],
  ['database adopt'],
  ['database forget-work'],
  ['owners list'],
  ['owners erase acme'],
  ['keys list'],
  ['keys revoke AAAAAAAA'],
])('winnow %s makes no database in a folder that has none', async (line) => {
  const empty = openFolder();
  const { code, out, err } = await empty.run(line.split(' '));
  const made = readdirSync(empty.path);
  empty.remove();

  expect({ code, out, err, made }).toEqual({
    code: 3,
    out: '',
    err: `DATA_DIR must be the folder of a database, or DATABASE_URL the address of one; ${empty.file('.data')} has none\n`,
    made: [],
  });
});

it('a dump goes to standard output too, and a restore comes from standard input', async () => {
  const fresh = await createTestDatabase();
  const printed = await folder.run(['database', 'dump', '-']);
  const restored = await folder.run(['database', 'restore', '-'], {
    env: { DATABASE_URL: fresh.url },
    input: printed.out,
  });
  const again = await folder.run(['database', 'dump', '-'], { env: { DATABASE_URL: fresh.url } });

  expect(printed).toMatchObject({
    code: 0,
    err: expect.stringContaining('the secrets of the server'),
  });
  expect(restored).toMatchObject({ code: 0, err: expect.stringContaining('It is a copy') });
  expect(again.out).toBe(printed.out);
  await fresh.drop();
});

async function countLeased(): Promise<number> {
  const sql = postgres(elsewhere.url, { max: 1 });
  const rows = await sql`select from chunks where state = 'leased'`;
  await sql.end();
  return rows.length;
}
