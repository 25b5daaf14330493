/**
 * The form of a dump: a script of SQL that psql runs too, of which each line is known.
 *
 *     -- Winnow dump 1
 *     -- migration 1764521000000       the newest that its database had: what its tables are like
 *     begin;
 *     copy "files" ("key", …) from stdin;
 *     …                                 rows in COPY's text format
 *     \.
 *     select setval(pg_get_serial_sequence('files', 'key'), 17);
 *     commit;                           last: a dump without it is not whole
 */
import { getTableName, is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import * as schema from '../tables.ts';

export const firstLine = '-- Winnow dump 1';
export const beginLine = 'begin;';
export const lastLine = 'commit;';

/** Names of all tables, each behind those that it refers to. */
export const tableNames: readonly string[] = [...inOrder()].map(getTableName);

function inOrder(): Set<PgTable> {
  const ordered = new Set<PgTable>();
  const add = (table: PgTable): void => {
    for (const { reference } of getTableConfig(table).foreignKeys) add(reference().foreignTable);
    ordered.add(table);
  };
  for (const table of Object.values(schema)) if (is(table, PgTable)) add(table);
  return ordered;
}

/** The dump, or the database for it, is not as it must be. The message says how it must be. */
export class RestoreRefused extends Error {
  override readonly name = 'RestoreRefused';
}

/** Milliseconds since 1970, as the list of migrations has them. */
export function migrationLine(createdAt: number): string {
  return `-- migration ${createdAt}`;
}

export function readMigrationLine(line: string): number | null {
  const [, createdAt] = /^-- migration (\d+)$/.exec(line) ?? [];
  return createdAt === undefined ? null : Number(createdAt);
}

/** Rows of a table, by their columns. */
export interface CopyLine {
  table: string;
  columns: readonly string[];
}

export function copyLine({ table, columns }: CopyLine): string {
  return `copy "${table}" (${columns.map((column) => `"${column}"`).join(', ')}) from stdin;`;
}

export function readCopyLine(line: string): CopyLine | null {
  const [, table, list] = /^copy "(\w+)" \(("\w+"(?:, "\w+")*)\) from stdin;$/.exec(line) ?? [];
  if (table === undefined || list === undefined || !tableNames.includes(table)) return null;
  return { table, columns: list.split(', ').map((column) => column.slice(1, -1)) };
}

/** The last number that a column was given by itself. */
export interface SequenceLine {
  table: string;
  column: string;
  last: bigint;
}

export function sequenceLine({ table, column, last }: SequenceLine): string {
  return `select setval(pg_get_serial_sequence('${table}', '${column}'), ${last});`;
}

export function readSequenceLine(line: string): SequenceLine | null {
  const form = /^select setval\(pg_get_serial_sequence\('(\w+)', '(\w+)'\), (\d{1,19})\);$/;
  const [, table, column, last] = form.exec(line) ?? [];
  if (table === undefined || column === undefined || last === undefined) return null;
  return { table, column, last: BigInt(last) };
}
