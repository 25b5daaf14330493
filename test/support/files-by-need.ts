/** Which test files need what, by their words and by those of what they import from test/. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Words of files that start a Postgres, also by a program, or use the one of the global setup. */
const postgres =
  /\b(postgresUrl|startEmbeddedPostgres|embedded-process|startService|startProgram|demo\.ts|DATA_DIR=data)\b/;
/** Words of files that start programs: servers, the command, the demo, what documents show. */
const programs = /'node:child_process'/;
/** Runs that have a command of their own. */
const apart = /^test\/(chaos|bench|browser)\/|^test\/server\/one-request\.test\.ts$/;
const localImport = /(?:from|import)\s*\(?'(\.[^']+)'/g;

/**
 * The files of `npm run test:unit`, which need neither Postgres nor a program. Paths from `root`,
 * the root of the repository.
 */
export function unitTestFiles(root: string): string[] {
  const needsPostgres = createNeeds(root, postgres);
  const needsPrograms = createNeeds(root, programs);
  return testFiles(root).filter((path) => !needsPostgres(path) && !needsPrograms(path));
}

/** The files of `npm test`, and those of `npm run test:programs`: as paths from `root`. */
export function filesByPrograms(root: string): { without: string[]; with: string[] } {
  const needsPrograms = createNeeds(root, programs);
  const files = testFiles(root);
  return {
    without: files.filter((path) => !needsPrograms(path)),
    with: files.filter(needsPrograms),
  };
}

function testFiles(root: string): string[] {
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((path) => path.endsWith('.test.ts') && !apart.test(path))
    .sort();
}

/** Answers whether a file of test/, or one that it imports there, has such words. */
function createNeeds(root: string, words: RegExp): (path: string) => boolean {
  const verdicts = new Map<string, boolean>();

  return function needs(path) {
    const known = verdicts.get(path);
    if (known !== undefined) return known;
    // Imports may go round: the question is then answered by the rest of the circle.
    verdicts.set(path, false);
    const text = readFileSync(join(root, path), 'utf8');
    const imports = [...text.matchAll(localImport)]
      .map(([, name = '']) => join(dirname(path), name))
      .filter((name) => name.startsWith('test/'));
    const verdict = words.test(text) || imports.some(needs);
    verdicts.set(path, verdict);
    return verdict;
  };
}
