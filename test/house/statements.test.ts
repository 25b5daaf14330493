/**
 * The table of statements in docs/architecture.md, held to the sources of src/db; and what no
 * statement does, because other engines that speak Postgres's language could not run it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('../../src/db/', import.meta.url);
const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
const section = page.split('\n## ').find((part) => part.startsWith('Statements')) ?? '';

/** A statement takes what it is sent by: the builder, or the client for plain SQL. */
const signature = /^export async function (\w+)\(\s*(?:\w+|\{\s*query,?\s*\}): (Builder|Sql)\b/gm;

function readStatements(): Map<string, { built: string[]; plain: string[] }> {
  const statements = new Map<string, { built: string[]; plain: string[] }>();
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.ts')) continue;
    const source = readFileSync(new URL(name, folder), 'utf8');
    const found = [...source.matchAll(signature)];
    if (found.length === 0) continue;
    const sentBy = (type: string) =>
      found.flatMap(([, each = '', by]) => (by === type ? each : []));
    statements.set(name, { built: sentBy('Builder').sort(), plain: sentBy('Sql').sort() });
  }
  return statements;
}

it('says of each statement whether the builder writes it', () => {
  const listed = (cell = '') => [...cell.matchAll(/\w+/g)].map(([name]) => name);
  const told = [...section.matchAll(/^\| (\S+\.ts) \|(.*)\|(.*)\|$/gm)].map(
    ([, name = '', built, plain]) => [name, { built: listed(built), plain: listed(plain) }],
  );

  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(readStatements()));
});

const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const);

it.each(sources)('%s names no row by its place in the table', (_name, source) => {
  expect(source).not.toMatch(/\bctid\b/);
});

it.each(sources)('%s gives a batch that it knows as a parameter', (_name, source) => {
  expect(source).not.toMatch(/key = \(select key from batch\b/);
});
