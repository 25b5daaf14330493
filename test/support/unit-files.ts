/** The test files that need no Postgres: `npm run test:unit` runs them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Words of files that start a Postgres, also by a program, or use the one of the global setup. */
const needsPostgres =
  /\b(postgresUrl|startEmbeddedPostgres|embedded-process|startService|startProgram|demo\.ts|DATA_DIR=data)\b/;
/** Runs that have a command of their own. */
const apart = /^test\/(chaos|bench|browser)\//;
const localImport = /(?:from|import)\s*\(?'(\.[^']+)'/g;

/** Paths from the root, which `root` is. */
export function unitTestFiles(root: string): string[] {
  const verdicts = new Map<string, boolean>();

  /** Whether a file of test/, or one that it imports there, needs Postgres. */
  function needs(path: string): boolean {
    const known = verdicts.get(path);
    if (known !== undefined) return known;
    // Imports may go round: the question is then answered by the rest of the circle.
    verdicts.set(path, false);
    const text = readFileSync(join(root, path), 'utf8');
    const imports = [...text.matchAll(localImport)]
      .map(([, name = '']) => join(dirname(path), name))
      .filter((name) => name.startsWith('test/'));
    const verdict = needsPostgres.test(text) || imports.some(needs);
    verdicts.set(path, verdict);
    return verdict;
  }

  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((path) => path.endsWith('.test.ts') && !apart.test(path) && !needs(path))
    .sort();
}
