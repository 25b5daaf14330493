/**
 * The table of docs/architecture.md, held to the sources. That no imports go round is the linter's.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readImports } from './imports.ts';

const page = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
const listed = (cell = '') => (cell === '' ? [] : cell.split(', '));
const table = new Map(
  [...page.matchAll(/^\| `(.+?)` \|(.*)\|$/gm)].map(([, room = '', cells = '']) => {
    const [, folders, types, packages] = cells.split('|').map((cell) => cell.trim());
    const row = { folders: listed(folders), types: listed(types), packages: listed(packages) };
    return [room, row] as const;
  }),
);
const imports = readImports();

it('has a row for each folder', () => {
  expect([...table.keys()].sort()).toEqual([...imports.keys()].sort());
});

it.each([...imports])('%s imports what its row says', (room, found) => {
  expect(found).toEqual(table.get(room));
});

it('lets no face import another, and nothing below the faces a face', () => {
  const wrong = [...imports].flatMap(([room, { folders, types }]) =>
    [...folders, ...types]
      .filter((other) => other.startsWith('faces/') && other !== 'faces/http')
      .filter(() => room !== 'service')
      .map((other) => `${room} imports ${other}`),
  );
  const low = [...imports].flatMap(([room, { folders, types }]) =>
    room.startsWith('faces/') || room === 'service'
      ? []
      : [...folders, ...types].filter((other) => other.startsWith('faces/')),
  );

  expect([...wrong, ...low]).toEqual([]);
});
