/** Makes the package of the client whole: its package.json with the root's version, its README. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const made = new URL('dist/client-package/', root);

const read = (path: string) => JSON.parse(readFileSync(new URL(path, root), 'utf8')) as object;
const { version } = read('package.json') as { version: string };
const description = { ...read('src/client/package.json'), version };
writeFileSync(new URL('package.json', made), `${JSON.stringify(description, null, 2)}\n`);
cpSync(new URL('src/client/README.md', root), new URL('README.md', made));
cpSync(new URL('LICENSE', root), new URL('LICENSE', made));

// The compiler rewrites the names of files in code, not in declarations.
for (const name of readdirSync(made).filter((file) => file.endsWith('.d.ts'))) {
  const file = new URL(name, made);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"));
}
