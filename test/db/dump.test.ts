/** A database in a file and back, beside a server that works. */
import { Buffer } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstLine } from '../../src/db/dump/form.ts';
import { restoreDatabase } from '../../src/db/dump/restore-dump.ts';
import { dumpDatabase } from '../../src/db/dump/write-dump.ts';
import { readMigrationState } from '../../src/db/migrate.ts';
import { untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const deadlineMs = 30_000;
const name = 'test';
const total = 400;
/** What a text format could take for its own. */
const hostile = [
  '\\.',
  'a\n\\.\nb',
  'tab\there',
  'back\\slash',
  '\\N',
  '"quoted"',
  'ü ☃ 𝄞',
  "'; --",
];

const databases: TestDatabase[] = [];
let app: App;
beforeAll(async () => {
  app = await startApp({ WORKER_CONCURRENCY: '8' }, { databaseUrl: (await another()).url });
});
afterAll(async () => {
  await app.stop();
  await Promise.all(databases.map(({ drop }) => drop()));
});

async function another(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  databases.push(database);
  return database;
}

async function dump(url: string): Promise<{ text: Buffer; tables: Record<string, number> }> {
  const pieces: Buffer[] = [];
  const tables: Record<string, number> = {};
  const onTable = (table: string, rows: number) => {
    tables[table] = rows;
  };
  for await (const piece of dumpDatabase(url, { name, onTable })) pieces.push(piece);
  return { text: Buffer.concat(pieces), tables };
}

/** The file in pieces of so many bytes. */
async function restore(url: string, text: Buffer, bytes = 64): Promise<void> {
  async function* pieces() {
    for (let at = 0; at < text.length; at += bytes) yield text.subarray(at, at + bytes);
  }
  await restoreDatabase(url, pieces(), { name, onTable: () => undefined });
}

async function ask<Row extends object>(url: string, query: string): Promise<Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  return await sql.unsafe<Row[]>(query).finally(() => sql.end());
}

/** A fingerprint of the rows of each table, in whichever order they lie, and of each sequence. */
async function contentsOf(url: string): Promise<Record<string, string>> {
  const tables = await ask<{ name: string }>(
    url,
    "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
  );
  const found = await Promise.all(
    tables.map(async ({ name }) => {
      const query = `select md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) as rows from "${name}" t`;
      const [row] = await ask<{ rows: string }>(url, query);
      return [name, row?.rows ?? ''] as const;
    }),
  );
  const sequences = await ask<{ name: string; last: string | null }>(
    url,
    'select sequencename as name, last_value::text as last from pg_sequences',
  );
  // The list of migrations counts by itself.
  const counted = sequences.filter((one) => !one.name.startsWith('__drizzle'));
  return Object.fromEntries([...found, ...counted.map((one) => [one.name, one.last ?? ''])]);
}

async function submit(texts: readonly string[]): Promise<string> {
  const submitted = await app.graphql(
    `mutation($texts: [String!]!) {
      submitBatch(input: {
        operation: {label: {categories: ["a", "b"]}}, source: {texts: $texts}, deduplicate: false
      }) { batch { id } }
    }`,
    { texts },
  );
  return submitted.data?.submitBatch.batch.id;
}

it('is one instant of a database on which a batch runs', async () => {
  app.sandbox.faults.add({ fault: { kind: 'latency', ms: 20 } });
  const id = await submit(Array.from({ length: total }, (_, at) => `text ${at}`));
  await until(() => app.sandbox.requests.answered > 100, { deadlineMs, what: 'some answers' });

  const { text } = await dump(app.databaseUrl);
  const copy = await another();
  await restore(copy.url, text, 100_000);

  const [batch] = await ask<{ succeeded: number; results: number; done: number }>(
    copy.url,
    `select succeeded, (select count(*)::int from results) as results,
       (select sum(done)::int from chunks) as done from batches`,
  );
  expect(batch?.succeeded).toBeGreaterThan(0);
  expect(batch?.succeeded).toBeLessThan(total);
  expect(batch).toMatchObject({ results: batch?.succeeded, done: batch?.succeeded });
  expect((await dump(copy.url)).text.equals(text)).toBe(true);
  expect((await untilEnded(app, id)).status).toBe('COMPLETED');
});

it('holds every row and every number of a database, whatever is in them', async () => {
  const id = await submit(hostile);
  expect((await untilEnded(app, id)).status).toBe('COMPLETED');
  const source = await another();
  await app.service.stop();

  const { text, tables } = await dump(app.databaseUrl);
  await restore(source.url, text, 7);

  expect(tables).toMatchObject({ batches: 2, results: total + hostile.length });
  expect(await contentsOf(source.url)).toEqual(await contentsOf(app.databaseUrl));
});

it('is restored into a database without tables, and made one of this version', async () => {
  const { text } = await dump(app.databaseUrl);
  const bare = await another();
  await ask(
    bare.url,
    'drop schema public cascade; drop schema drizzle cascade; create schema public',
  );

  await restore(bare.url, text);

  expect(await contentsOf(bare.url)).toEqual(await contentsOf(app.databaseUrl));
  expect(await readMigrationState(bare.url)).toMatchObject({ missing: [], unknown: 0 });
});

it('of an older version is restored to its tables, which are then brought to this version', async () => {
  const journal = new URL('../../drizzle/meta/_journal.json', import.meta.url);
  const [first] = JSON.parse(await readFile(journal, 'utf8')).entries;
  const old = await another();
  await ask(
    old.url,
    'drop schema public cascade; drop schema drizzle cascade; create schema public',
  );

  await restore(
    old.url,
    lines(firstLine, `-- migration ${first.when}`, 'begin;', ...setting('a'), 'commit;'),
  );

  expect(await readMigrationState(old.url)).toMatchObject({ missing: [], unknown: 0 });
  expect(await ask(old.url, 'select name, value from settings')).toEqual([
    { name: 'a', value: 'of a' },
  ]);
});

describe('is refused, and leaves nothing', () => {
  const head = async () => {
    const { text } = await dump(app.databaseUrl);
    return text.toString('utf8').split('\n').slice(0, 5);
  };

  it.each([
    ['another file', async () => ['id,text', '1,a'], 'must be a file that winnow database dump'],
    ['an empty file', async () => [], 'must be a file that winnow database dump'],
    ['one that is cut off', async () => [...(await head()), ...setting('a')], 'must be whole'],
    [
      'one that is cut off within rows',
      async () => [...(await head()), ...setting('a').slice(0, 2)],
      'must be whole',
    ],
    [
      'another statement in it',
      async () => [...(await head()), ...setting('a'), 'drop table files;', 'commit;'],
      'must be as winnow database dump wrote it',
    ],
    [
      'another table in it',
      async () => [...(await head()), 'copy "pg_authid" ("rolname") from stdin;', '\\.', 'commit;'],
      'must be as winnow database dump wrote it',
    ],
    [
      'a migration that this version lacks',
      async () => [firstLine, '-- migration 99999999999999', 'begin;', 'commit;'],
      'or a newer one',
    ],
  ])('%s', async (_what, given, message) => {
    const target = await another();

    await expect(restore(target.url, lines(...(await given())))).rejects.toThrow(message);

    expect(await ask(target.url, 'select from settings')).toEqual([]);
  });

  it('where there are rows already', async () => {
    const target = await another();
    await ask(target.url, "insert into settings values ('mine', '1')");
    const { text } = await dump(app.databaseUrl);

    await expect(restore(target.url, text)).rejects.toThrow('table settings has rows');

    expect(await ask(target.url, 'select from files')).toEqual([]);
  });
});

it('needs no right but to select', async () => {
  const reader = `reader_${process.pid}_${Math.trunc(performance.now())}`;
  const url = new URL(app.databaseUrl);
  await ask(
    url.href,
    `create role ${reader} login password 'reads'; grant usage on schema drizzle to ${reader};
     grant select on all tables in schema public, drizzle to ${reader};
     grant usage on all sequences in schema public to ${reader}`,
  );
  [url.username, url.password] = [reader, 'reads'];

  const { text } = await dump(url.href);

  expect(text.equals((await dump(app.databaseUrl)).text)).toBe(true);
  await ask(app.databaseUrl, `drop owned by ${reader}; drop role ${reader}`);
});

function lines(...texts: readonly string[]): Buffer {
  return Buffer.from(texts.map((text) => `${text}\n`).join(''));
}

function setting(name: string): string[] {
  return ['copy "settings" ("name", "value") from stdin;', `${name}\tof ${name}`, '\\.'];
}
