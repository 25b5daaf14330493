/** The examples of the client are one program each: they compile, and run to their end. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { nodeEnv, nodeFlags } from '../support/from-source.ts';
import { type Block, readBlocks } from './blocks.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const client = join(root, 'src/client/index.ts');

let app: App;
beforeAll(async () => {
  app = await startApp({ DEFAULT_MODEL: 'sandbox/rules' });
});
afterAll(() => app.stop());

describe.each([
  [
    'docs/guides/client.md',
    ['0 praise null', 'mail-2 complaint null', 'completed 1', 'r-1 praise'],
  ],
  ['src/client/README.md', ['praise', 'ada@example.org']],
])('%s', (name, expected) => {
  const blocks = readBlocks(new URL(`../../${name}`, import.meta.url));
  const textOf = (language: Block['language']) =>
    blocks
      .filter((block) => block.language === language && block.notRun === null)
      .map(({ text }) => text)
      .join('\n');
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'winnow-client-docs-'));
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
    const program = textOf('ts')
      .replaceAll("'winnow-client'", `'${client}'`)
      .replaceAll('http://127.0.0.1:4000', app.url);
    await writeFile(join(directory, 'program.ts'), program);
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('compiles', async () => {
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        typeRoots: [join(root, 'node_modules/@types')],
        rewriteRelativeImportExtensions: false,
      },
      files: ['program.ts'],
      include: [],
    };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', directory]).catch((error) => error);

    expect(stdout).toBe('');
  });

  it('runs', async () => {
    if (textOf('sh') !== '') await run('bash', ['-e', '-c', textOf('sh')], { cwd: directory });
    const { stdout } = await run(process.execPath, [...nodeFlags, 'program.ts'], {
      cwd: directory,
      env: { ...nodeEnv, PATH: process.env.PATH, WINNOW_URL: app.url, NO_COLOR: '1' },
      timeout: 60_000,
    });

    for (const line of expected) expect(stdout).toContain(line);
  });
});
