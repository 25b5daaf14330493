/** Migrations: read without a right, run in turns, whole or not at all. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StartFailure } from '../../src/core/errors.ts';
import { migrateDatabase, readMigrationState } from '../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

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
  expect(await readMigrationState(database.url)).toEqual({ missing: [], unknown: 0 });
});

it('those of a newer version are counted as unknown', async () => {
  await write({ '0100_newer': 'create table newer (a int)' });
  await apply();

  expect(await readMigrationState(database.url)).toEqual({ missing: [], unknown: 1 });
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

it('an index is built concurrently, outside of a transaction, and again after a failure', async () => {
  await sql`create table crowd (a int)`;
  await sql`insert into crowd values (1), (1)`;
  await write({
    '0100_index':
      'drop index concurrently if exists crowd_a;\n--> statement-breakpoint\ncreate unique index concurrently crowd_a on crowd (a)',
  });

  await expect(apply()).rejects.toThrow(/^The migration 0100_index failed/);
  await sql`truncate crowd`;

  expect(await Promise.all([apply(), apply()])).toContainEqual(['0100_index']);
  const [index] = await sql`select indisvalid from pg_index where indexrelid = 'crowd_a'::regclass`;
  expect(index).toEqual({ indisvalid: true });
});
