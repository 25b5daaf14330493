/** Each index of a table names what needs it, and that exists in src/db. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('../../src/db/', import.meta.url);

function readSources(path: string): string {
  return readdirSync(new URL(path, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(new URL(`${path}${name}`, folder), 'utf8'))
    .join('\n');
}

const functions = new Set(
  [...readSources('./').matchAll(/^(?:export )?(?:async )?function\*? (\w+)/gm)].map(
    ([, name]) => name,
  ),
);
const indexes = [
  ...readSources('./tables/').matchAll(/((?:^ +\/\/.*\n)*)^ +(?:uniqueIndex|index)\(\s*'(\w+)'/gm),
].map(([, comment = '', name = '']) => [name, comment.replaceAll(/^ +\/\/ /gm, '')] as const);

it.each(indexes)('%s names functions that exist', (_name, comment) => {
  const [, names = ''] = /^Needed by ([\w,\s]+)\.$/.exec(comment.trim()) ?? [];
  const needing = names.split(/,\s+/);

  expect(needing.filter((name) => !functions.has(name))).toEqual([]);
});
