/** A dump, back in a database: in one transaction, so that it is there as a whole or not at all. */
import type { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from } from 'pg-copy-streams';
import { hasMigration, migrateDatabase, readMigrationState } from '../migrate.ts';
import {
  beginLine,
  type CopyLine,
  copyLine,
  firstLine,
  lastLine,
  RestoreRefused,
  readCopyLine,
  readMigrationLine,
  readSequenceLine,
  type SequenceLine,
  tableNames,
} from './form.ts';
import { DumpReader } from './read-dump.ts';
import { withTransaction } from './session.ts';

/**
 * Restores a dump into a database without tables, or with empty ones of the dump's own version, and
 * brings the tables to this version. Runs no statement of the dump's own: only rows and numbers are
 * taken from it. `onTable` hears how many rows each table got. Throws RestoreRefused.
 */
export async function restoreDatabase(
  url: string,
  pieces: AsyncIterable<Buffer>,
  { name, onTable }: { name: string; onTable: (table: string, rows: number) => void },
): Promise<void> {
  const reader = new DumpReader(pieces);
  await makeTables(url, name, await readHead(reader));
  await withTransaction(url, { name, begin: 'begin' }, async (client) => {
    await checkEmpty(client);
    await restoreRows(client, reader, onTable);
    await client.query('commit');
  });
  const { missing } = await readMigrationState(url, { name });
  if (missing.length > 0) await migrateDatabase(url, { name });
}

/** The newest migration of the database that the dump was made of. */
async function readHead(reader: DumpReader): Promise<number> {
  if ((await reader.line()) !== firstLine) {
    throw new RestoreRefused('It must be a file that winnow database dump has made');
  }
  let migration: number | null = null;
  for (;;) {
    const line = await reader.line();
    if (line === beginLine && migration !== null) return migration;
    if (!line?.startsWith('--')) throw damaged(line);
    migration ??= readMigrationLine(line);
  }
}

/** The tables as they were where the dump was made, so that later migrations find its rows. */
async function makeTables(url: string, name: string, migration: number): Promise<void> {
  if (!(await hasMigration(migration))) {
    throw new RestoreRefused(
      'This version must be the one that the dump was made by, or a newer one: it lacks a migration of the dump',
    );
  }
  const { newest } = await readMigrationState(url, { name });
  if (newest === 0) await migrateDatabase(url, { name, until: migration });
  else if (newest !== migration) {
    throw new RestoreRefused(
      'The database must have no tables yet: it has those of another version than the dump',
    );
  }
}

async function checkEmpty(client: pg.Client): Promise<void> {
  // Of an older dump, some tables are made later.
  const { rows: tables } = await client.query<{ name: string }>(
    'select name from unnest($1::text[]) as t (name) where to_regclass(quote_ident(name)) is not null',
    [tableNames],
  );
  const names = tables.map(({ name }) => name);
  await client.query(`lock table ${names.join(', ')} in share row exclusive mode`);
  for (const name of names) {
    const { rows } = await client.query(`select from "${name}" limit 1`);
    if (rows.length === 0) continue;
    throw new RestoreRefused(
      `The database must be empty, and its table ${name} has rows: make another database, and start nothing on it before`,
    );
  }
}

async function restoreRows(
  client: pg.Client,
  reader: DumpReader,
  onTable: (table: string, rows: number) => void,
): Promise<void> {
  for (;;) {
    const line = await reader.line();
    if (line === lastLine) return;
    const copied = readCopyLine(line ?? '');
    const sequence = readSequenceLine(line ?? '');
    if (copied) onTable(copied.table, await copyRows(client, reader, copied));
    else if (sequence) await setSequence(client, sequence);
    else throw damaged(line);
  }
}

async function copyRows(client: pg.Client, reader: DumpReader, line: CopyLine): Promise<number> {
  const stream = client.query(from(copyLine(line).slice(0, -1)));
  await pipeline(Readable.from(reader.rows()), stream);
  return stream.rowCount;
}

async function setSequence(client: pg.Client, { table, column, last }: SequenceLine) {
  const name = 'pg_get_serial_sequence(quote_ident($1), $2)';
  await client.query(`select setval(${name}, $3::bigint)`, [table, column, String(last)]);
}

function damaged(line: string | null): RestoreRefused {
  return new RestoreRefused(
    line === null
      ? 'The dump must be whole, and it ends before its last line'
      : 'The dump must be as winnow database dump wrote it, and a line of it is not',
  );
}
