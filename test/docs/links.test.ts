/**
 * Every link from one document to another leads to a file, and to a heading of that file; each file
 * that docs/architecture.md names exists.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { expect, it } from 'vitest';
import { pages, readPage } from './documents.ts';

const root = new URL('../../', import.meta.url);

/** As code hosts make the name of a heading. */
function anchorsOf(page: string): string[] {
  return [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function leadsNowhere(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? from : join(dirname(from), path);
  if (!existsSync(new URL(target, root))) return true;
  return anchor !== undefined && !anchorsOf(target).includes(anchor);
}

it.each(pages)('%s', (page) => {
  const links = [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const local = links.filter((link) => !/^[a-z]+:/.test(link));

  expect(local.filter((link) => leadsNowhere(page, link))).toEqual([]);
});

it('each file that docs/architecture.md names by its folder exists', () => {
  const named = [...readPage('docs/architecture.md').matchAll(/`?((?:[\w-]+\/)+[\w-]+\.ts)\b/g)]
    .map(([, path = '']) => path)
    .map((path) => (path.startsWith('test/') ? path : `src/${path}`));

  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});
