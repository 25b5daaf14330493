/** Comments fit a window, and some words are not used: CONTRIBUTING.md, "Words". */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pages } from '../docs/documents.ts';

const root = new URL('../../', import.meta.url);
const maxColumns = 100;
/** Words that hide the subject, are out of date, or are images. */
const unused =
  /\b(whoever|of late|gets? on|stands? so|mend(s|ed|ing)?|besides|anew|so long|hand(s|ed|ing)? over|there is none|(?<!there )is no(?! (longer|more)\b))\b/i;
/** Words of other people: what rules look for in texts, and prompts that go to models. */
const quoted = /^src\/(sandbox\/rules|demo\/data|operations\/json-schema\/describe\.ts)/;

function sources(folder: string): string[] {
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => `${folder}${name}`)
    .sort();
}

/** The lines of a file that match, with where they stand. */
function linesOf(path: string, matches: (line: string) => boolean): string[] {
  const lines = readFileSync(new URL(path, root), 'utf8').split('\n');
  return lines.flatMap((line, at) => (matches(line) ? `${path}:${at + 1}: ${line.trim()}` : []));
}

/** A comment that could be broken; an address could not. */
function isWideComment(line: string): boolean {
  return (
    line.length > maxColumns && /^\s*(\/\/|\/?\*)|\s\/\/ /.test(line) && !/https?:\/\//.test(line)
  );
}

it.each(['src/', 'test/'])('comments in %s have at most 100 columns', (folder) => {
  expect(sources(folder).flatMap((path) => linesOf(path, isWideComment))).toEqual([]);
});

/** A description names the thing: `/** Number of items`, and not how many they are. */
const indirect = /\/\*\*\s+(?:\* )?(?:What|How|Whether|Of)\b.*/g;

it('doc comments begin with what the thing is', () => {
  const found = sources('src/').flatMap((path) =>
    [...readFileSync(new URL(path, root), 'utf8').matchAll(indirect)].map(
      ([begin]) => `${path}: ${begin.replaceAll(/\s+/g, ' ')}`,
    ),
  );

  expect(found).toEqual([]);
});

it('words that are not used are not used', () => {
  const texts = [
    ...sources('src/'),
    'schema.graphql',
    ...pages.filter((name) => name !== 'CHANGELOG.md'),
  ];
  const checked = texts.filter((path) => !quoted.test(path));

  expect(checked.flatMap((path) => linesOf(path, (line) => unused.test(line)))).toEqual([]);
});
