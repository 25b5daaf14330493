/** README's table of what each folder imports, held to the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');
const table = readme.slice(readme.indexOf('| folder | holds | imports |'));

const namesIn = (text: string) =>
  [...text.matchAll(/`src\/([\w-]+)(?:\.ts)?`/g)].map(([, name = '']) => name);

/** Below everything, and so in no row. */
const low = namesIn(/^.*are below all of them\.$/m.exec(table)?.[0] ?? '');
const rows = table
  .split('\n\n')[0]
  ?.split('\n')
  .slice(2)
  .map((line) => line.split('|').map((cell) => cell.trim()));
const described = new Map(
  rows?.flatMap(([, names = '', , imports = '']) =>
    namesIn(names).map((name) => [name, { row: namesIn(names), imports }] as const),
  ),
);

/** The folder, or the file without one, that a path in src belongs to. */
const partOf = (path: string) => path.split('/')[0]?.replace(/\.ts$/, '') ?? '';

const imported = new Map<string, Set<string>>();
const sources = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' });
for (const path of sources.filter((name) => name.endsWith('.ts'))) {
  const part = partOf(path);
  const parts = imported.get(part) ?? new Set();
  imported.set(part, parts);
  const text = readFileSync(new URL(`src/${path}`, root), 'utf8');
  for (const [, target = ''] of text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
    const other = partOf(join(dirname(path), target));
    if (other !== part && !low.includes(other)) parts.add(other);
  }
}

it('names every folder of src', () => {
  const folders = readdirSync(new URL('src', root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

  expect(folders.filter((name) => !described.has(name))).toEqual([]);
});

it.each([...described].filter(([, { imports }]) => imports !== 'all of these'))(
  '%s imports what the table says',
  (name, { row, imports }) => {
    const parts = row.flatMap((one) => [...(imported.get(one) ?? [])]);
    const others = [...new Set(parts)].filter((part) => !row.includes(part));

    expect(imported.has(name)).toBe(true);
    expect(others.sort()).toEqual(imports === 'nothing' ? [] : imports.split(', ').sort());
  },
);

it('has nothing below everything that imports anything else', () => {
  expect(low).toContain('errors');
  expect(low.flatMap((name) => [...(imported.get(name) ?? ['no such file'])])).toEqual([]);
});
