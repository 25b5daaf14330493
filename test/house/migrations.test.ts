/** Migrations run beside older processes: decision 021 says what they may do. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('../../drizzle/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.sql'));
/** Those before it build indexes of tables that came with the same release. */
const held = files.filter((name) => name >= '0011');

const readStatements = (name: string): string[] =>
  readFileSync(new URL(name, folder), 'utf8').split('--> statement-breakpoint');

it.each(held)('%s builds no index of a table that is there but concurrently', (name) => {
  const statements = readStatements(name);
  const made = statements.flatMap((text) => /create table "(\w+)"/i.exec(text)?.[1] ?? []);
  const others = statements.filter((text) => {
    const [, table = ''] = /create (?:unique )?index "\w+" on "(\w+)"/i.exec(text) ?? [];
    return table !== '' && !made.includes(table);
  });

  expect(others).toEqual([]);
});

it.each(held)('%s has one statement where it builds an index concurrently', (name) => {
  const statements = readStatements(name);
  const isConcurrent = statements.some((text) => /\bconcurrently\b/i.test(text));

  expect(isConcurrent ? statements.length : 1).toBe(1);
});

it.each(held)('%s checks no row of a table that is there', (name) => {
  const statements = readStatements(name);
  const made = statements.flatMap((text) => /create table "(\w+)"/i.exec(text)?.[1] ?? []);
  const others = statements.filter((text) => {
    const [, table = ''] = /alter table "(\w+)" add constraint/i.exec(text) ?? [];
    return table !== '' && !made.includes(table) && !/\bnot valid\b/i.test(text);
  });

  expect(others).toEqual([]);
});

it.each(files)('%s takes nothing away', (name) => {
  const taken = readStatements(name).filter((text) => /\b(drop|rename)\b/i.test(text));

  expect(taken).toEqual([]);
});
