/** A database as a file: all of its rows, as they are at one instant. */
import { Buffer } from 'node:buffer';
import type pg from 'pg';
import { to } from 'pg-copy-streams';
import {
  beginLine,
  type CopyLine,
  copyLine,
  firstLine,
  lastLine,
  migrationLine,
  sequenceLine,
  tableNames,
} from './form.ts';
import { openTransaction } from './session.ts';

const introduction = `${firstLine}
-- Restore it with winnow database restore; or with psql, into a database that has been made by
-- MIGRATE=only of the version that made this file.`;

/**
 * The dump in pieces, as fast as they are taken. It is one snapshot: what is written meanwhile is
 * not in it, and waits for nothing. `onTable` hears how many rows each table has. Needs the tables
 * of this version, and no right but to select.
 */
export async function* dumpDatabase(
  url: string,
  { name, onTable }: { name: string; onTable: (table: string, rows: number) => void },
): AsyncGenerator<Buffer, void, undefined> {
  const begin = 'begin isolation level repeatable read, read only';
  const { client, close } = await openTransaction(url, { name, begin });
  try {
    // Before the snapshot is taken, so that no table changes its form behind it.
    await client.query(`lock table ${tableNames.map(quoted).join(', ')} in access share mode`);
    yield lines(introduction, migrationLine(await readNewestMigration(client)), beginLine);
    for (const table of tableNames) {
      const columns = await readColumns(client, table);
      yield lines('', copyLine({ table, columns }));
      onTable(table, yield* copyRows(client, { table, columns }));
      yield lines('\\.');
    }
    // Later than the snapshot, so that no number is given twice.
    yield lines('', ...(await readSequences(client)), lastLine);
  } finally {
    await close();
  }
}

function lines(...texts: readonly string[]): Buffer {
  return Buffer.from(`${texts.join('\n')}\n`);
}

function quoted(name: string): string {
  return `"${name}"`;
}

async function readNewestMigration(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ at: string }>(
    'select max(created_at)::text as at from drizzle.__drizzle_migrations',
  );
  return Number(rows[0]?.at);
}

/** Also those that this version no longer reads, as long as they are there. */
async function readColumns(client: pg.Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
     order by attnum`,
    [quoted(table)],
  );
  return rows.map(({ name }) => name);
}

async function* copyRows(
  client: pg.Client,
  { table, columns }: CopyLine,
): AsyncGenerator<Buffer, number, undefined> {
  const list = columns.map(quoted).join(', ');
  const stream = client.query(to(`copy ${quoted(table)} (${list}) to stdout`));
  for await (const piece of stream) yield piece as Buffer;
  return stream.rowCount;
}

async function readSequences(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ table: string; column: string; last: string | null }>(
    `select t.name as table, a.attname as column, pg_sequence_last_value(
       pg_get_serial_sequence(quote_ident(t.name), a.attname)::regclass)::text as last
     from unnest($1::text[]) with ordinality t (name, place)
     join pg_attribute a on a.attrelid = quote_ident(t.name)::regclass and a.attidentity <> ''
     order by t.place`,
    [tableNames],
  );
  return rows.flatMap(({ table, column, last }) =>
    last === null ? [] : [sequenceLine({ table, column, last: BigInt(last) })],
  );
}
