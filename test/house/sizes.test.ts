/** Sizes that are held to, so that what is read first stays short. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const countLines = (path: string) =>
  readFileSync(new URL(path, root), 'utf8').split('\n').length - 1;

it.each([
  ['README.md', 150],
  ['biome.json', 130],
])('%s has at most %i lines', (path, most) => {
  expect(countLines(path)).toBeLessThanOrEqual(most);
});

it('no file of the worker has more than 220 lines', () => {
  const files = readdirSync(new URL('src/engine/worker/', root));
  const long = files.filter((name) => countLines(`src/engine/worker/${name}`) > 220);

  expect(long).toEqual([]);
});

it("the sandbox's rules of language have at most 1,200 lines", () => {
  const folder = 'src/sandbox/rules/';
  const files = readdirSync(new URL(folder, root)).filter((name) => name.endsWith('.ts'));
  const lines = files.map((name) => countLines(`${folder}${name}`));

  expect(lines.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(1_200);
});
