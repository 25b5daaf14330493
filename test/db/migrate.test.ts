/** Migrations: read without a right, run in turns, whole or not at all. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartFailure } from '../../src/core/errors.ts';
import { type HoldUp, migrateDatabase, readMigrationState } from '../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

let database: TestDatabase;
let sql: postgres.Sql;
let folder: string;
beforeEach(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  folder = await mkdtemp(join(tmpdir(), 'winnow-migrations-'));
});
afterEach(async () => {
  await sql.end();
  await database.drop();
  await rm(folder, { recursive: true });
});

const deadlineMs = 15_000;
const later = 4_000_000_000_000;

/** Files of the folder: what newer versions could bring. */
async function write(files: Record<string, string>): Promise<void> {
  await mkdir(join(folder, 'meta'), { recursive: true });
  const entries = Object.keys(files).map((tag, at) => ({ tag, when: later + at }));
  await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify({ entries }));
  for (const [tag, text] of Object.entries(files))
    await writeFile(join(folder, `${tag}.sql`), text);
}

async function apply(): Promise<string[]> {
  const applied: string[] = [];
  await migrateDatabase(database.url, { folder, onApplied: (name) => applied.push(name) });
  return applied;
}

it('a database that is up to date lacks none, and knows none that is not ours', async () => {
  expect(await readMigrationState(database.url)).toMatchObject({ missing: [], unknown: 0 });
});

it('those of a newer version are counted as unknown', async () => {
  await write({ '0100_newer': 'create table newer (a int)' });
  await apply();

  expect(await readMigrationState(database.url)).toMatchObject({ missing: [], unknown: 1 });
});

it('those that are missing run in order, once, and are told by name', async () => {
  await write({
    '0100_one': 'create table one (a int);\n--> statement-breakpoint\ncreate table two (a int);',
    '0101_two': 'alter table two add column b int',
  });
  const names = ['0100_one', '0101_two'];

  expect((await readMigrationState(database.url, { folder })).missing).toEqual(names);
  expect(await apply()).toEqual(names);
  expect(await apply()).toEqual([]);
});

it('processes that start together run each once', async () => {
  await write({ '0100_one': 'select pg_sleep(0.2); create table one (a int)' });

  const applied = await Promise.all([apply(), apply(), apply()]);

  expect(applied.flat()).toEqual(['0100_one']);
});

it('one that fails in the middle leaves nothing of itself, and those before it', async () => {
  await write({
    '0100_good': 'create table good (a int)',
    '0101_bad': 'create table half (a int);\n--> statement-breakpoint\nselect 1 / 0',
  });

  await expect(apply()).rejects.toThrow(StartFailure);
  await expect(apply()).rejects.toThrow(/^The migration 0101_bad failed, .*: division by zero$/);

  const [there] = await sql`select to_regclass('good') as good, to_regclass('half') as half`;
  expect(there).toEqual({ good: 'good', half: null });
  await write({ '0100_good': '', '0101_bad': 'create table half (a int)' });
  expect(await apply()).toEqual(['0101_bad']);
});

describe('on a table that an older process writes to', () => {
  const index = 'create index concurrently "crowd_a" on "crowd" (a)';
  let writer: postgres.Sql;
  /** In a transaction that has written to the table, and is open until `endWriting`. */
  let writing: postgres.ReservedSql;
  const endWriting = () => writing`commit`;
  beforeEach(async () => {
    await sql`create table crowd (a int)`;
    await sql`insert into crowd select n % 1000 from generate_series(1, 200000) n`;
    writer = postgres(database.url, { max: 2, onnotice: () => undefined });
    writing = await writer.reserve();
    await writing`begin`;
    await writing`insert into crowd values (0)`;
  });
  afterEach(() => writer.end({ timeout: 0 }));

  const builds = () => sql`
    select pid, lockers_total from pg_stat_progress_create_index where datname = current_database()`;

  /** Its build waits for the transaction that is open. */
  const isBuilding = async () =>
    (await builds()).some(({ lockers_total }) => Number(lockers_total) > 0);

  const readIndex = async () =>
    await sql`select indexrelid as id, indisvalid from pg_index where indrelid = 'crowd'::regclass`;

  it('a column comes once the table is free, and nobody waits behind it until then', async () => {
    await write({ '0100_column': 'alter table crowd add column b int' });
    const heldUp: HoldUp[] = [];
    const migrated = migrateDatabase(database.url, {
      folder,
      onHeldUp: (wait) => heldUp.push(wait),
    });
    await until(async () => heldUp.length === 1, { deadlineMs, what: 'the first try' });

    // Behind a migration that waits for the open transaction this would never be done.
    await writer`insert into crowd values (1)`;
    await endWriting();
    await migrated;

    expect(heldUp).toEqual([{ migration: '0100_column', by: 'table' }]);
    expect((await readMigrationState(database.url, { folder })).missing).toEqual([]);
  });

  it('a table that stays in use is asked for ever more seldom', async () => {
    await write({ '0100_column': 'alter table crowd add column b int' });
    const pausesMs: number[] = [];
    await migrateDatabase(database.url, {
      folder,
      pause: async (ms) => {
        pausesMs.push(ms);
        if (pausesMs.length === 8) await endWriting();
      },
    });

    expect(pausesMs).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000));
  });

  it('an index is built beside it, while others write', async () => {
    await write({ '0100_index': index });
    const starts = [apply(), apply()];
    await until(isBuilding, { deadlineMs, what: 'the build' });

    await writer`insert into crowd values (1)`;
    await writer`update crowd set a = 2 where a = 1`;
    await endWriting();

    expect((await Promise.all(starts)).flat()).toEqual(['0100_index']);
    expect(await readIndex()).toMatchObject([{ indisvalid: true }]);
  });

  it('a build that takes long is told of once, and so is the turn that another waits for', async () => {
    await write({ '0100_index': index });
    const heldUp: HoldUp[] = [];
    const start = () =>
      migrateDatabase(database.url, {
        folder,
        patienceMs: 50,
        onHeldUp: (wait) => heldUp.push(wait),
      });
    const starts = [start(), start()];
    await until(() => heldUp.length === 2, { deadlineMs, what: 'both to be told of' });
    await endWriting();
    await Promise.all(starts);

    expect(new Set(heldUp)).toEqual(
      new Set([
        { migration: '0100_index', by: 'build' },
        { migration: null, by: 'turn' },
      ]),
    );
    expect(heldUp).toHaveLength(2);
  });

  it('a build that was broken off is begun again by the next start', async () => {
    await write({ '0100_index': index });
    const broken = apply().catch((error: unknown) => error);
    await until(isBuilding, { deadlineMs, what: 'the build' });
    for (const { pid } of await builds()) await sql`select pg_terminate_backend(${pid})`;
    expect(await broken).toBeInstanceOf(Error);
    const [unfinished] = await readIndex();
    expect(unfinished).toMatchObject({ indisvalid: false });
    await endWriting();

    expect(await apply()).toEqual(['0100_index']);

    const [built] = await readIndex();
    expect(built).toMatchObject({ indisvalid: true });
    expect(built?.id).not.toBe(unfinished?.id);
  });

  it('a build whose process has gone is waited for, and counts', async () => {
    await write({ '0100_index': index });
    const gone = postgres(database.url, { max: 1 });
    const lost = gone.unsafe(index).catch((error: unknown) => error);
    await until(isBuilding, { deadlineMs, what: 'the build' });
    await gone.end({ timeout: 0 });
    await lost;
    const [unfinished] = await readIndex();
    const heldUp: HoldUp[] = [];
    const next = migrateDatabase(database.url, { folder, onHeldUp: (wait) => heldUp.push(wait) });
    await until(() => heldUp.length === 1, { deadlineMs, what: 'the next start to find it' });
    await endWriting();
    await next;

    expect((await readMigrationState(database.url, { folder })).missing).toEqual([]);
    expect(await readIndex()).toEqual([{ ...unfinished, indisvalid: true }]);
  });
});

it('none of the limits of the database ends a migration', async () => {
  const limits = await sql`
    select name from pg_settings where name in ('statement_timeout', 'transaction_timeout')`;
  for (const { name } of limits) {
    await sql.unsafe(`alter database "${sql.options.database}" set ${name} = '300ms'`);
  }
  await sql`create table crowd (a int)`;
  await sql`insert into crowd values (1)`;
  await sql`
    create function slow(a int) returns int immutable language plpgsql
    as 'begin perform pg_sleep(0.6); return a; end'`;
  const files = {
    '0100_slow': 'select pg_sleep(0.6)',
    '0101_index': 'create index concurrently "crowd_a" on "crowd" (slow(a))',
  };
  await write(files);

  expect(await apply()).toEqual(Object.keys(files));
});

it('an index that fails leaves what the next start builds', async () => {
  await sql`create table crowd (a int)`;
  await sql`insert into crowd values (1), (1)`;
  await write({ '0100_index': 'create unique index concurrently "crowd_a" on "crowd" (a)' });

  await expect(apply()).rejects.toThrow(/^The migration 0100_index failed/);
  await sql`truncate crowd`;

  expect(await Promise.all([apply(), apply()])).toContainEqual(['0100_index']);
  const [index] = await sql`select indisvalid from pg_index where indexrelid = 'crowd_a'::regclass`;
  expect(index).toEqual({ indisvalid: true });
});

it('indexes that an earlier form of the migrations has built are kept as they are', async () => {
  const readIndexes = () => sql`
    select indexrelid as id, indisvalid from pg_index
    where indrelid in ('batches'::regclass, 'files'::regclass) order by 1`;
  const before = await readIndexes();
  const own = new URL('../../drizzle/', import.meta.url);
  const texts = readdirSync(own)
    .filter((name) => name.endsWith('.sql'))
    .map((name) => [name.slice(0, -4), readFileSync(new URL(name, own), 'utf8')] as const)
    .filter(([, text]) => /^create index concurrently/i.test(text));
  await write(Object.fromEntries(texts));

  expect(await apply()).toEqual(texts.map(([name]) => name));
  expect(await readIndexes()).toEqual(before);
});
