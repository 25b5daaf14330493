/** The package as others get it: packed, installed in an empty project, compiled, bundled, run. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const sources = fileURLToPath(new URL('project/', import.meta.url));
/** Shorter than any time-out of the client: what is left behind would hold a program longer. */
const endsWithinMs = 30_000;

let app: App;
let project: string;
beforeAll(async () => {
  app = await startApp({ DEFAULT_MODEL: 'sandbox/rules' });
  project = await mkdtemp(join(tmpdir(), 'winnow-project-'));
  await run('npm', ['run', '--silent', 'pack:client'], { cwd: root });
  const packed = await run('npm', ['pack', '--json', '--pack-destination', project], {
    cwd: join(root, 'dist/client-package'),
  });
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  await writeFile(join(project, 'package.json'), '{ "name": "empty", "type": "module" }');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], {
    cwd: project,
  });
  for (const name of await readdir(sources)) {
    await copyFile(join(sources, name), join(project, name));
  }
}, 120_000);
afterAll(async () => {
  await app.stop();
  await rm(project, { recursive: true });
});

it('is one package, with the version of this one', async () => {
  const installed = await readdir(join(project, 'node_modules'));
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
  const description = await read(join(project, 'node_modules/winnow-client/package.json'));

  expect(installed.filter((name) => !name.startsWith('.'))).toEqual(['winnow-client']);
  expect(description).toMatchObject({
    version: (await read(join(root, 'package.json'))).version,
    type: 'module',
    sideEffects: false,
  });
  expect(description.dependencies).toBeUndefined();
});

it.each(['nodenext', 'bundler'])('has types that hold, with %s', async (moduleResolution) => {
  const module = moduleResolution === 'bundler' ? 'preserve' : 'nodenext';
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'dom'],
    module,
    moduleResolution,
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const config = join(project, `tsconfig.${moduleResolution}.json`);
  await writeFile(config, JSON.stringify({ compilerOptions, files: ['types.ts'] }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', config]).catch((error) => error);

  expect(stdout).toBe('');
});

it('names nothing of Node and no other package in its types', async () => {
  const folder = join(project, 'node_modules/winnow-client');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.d.ts'));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));

  expect(names).toContain('index.d.ts');
  const imported = texts.flatMap((text) => [...text.matchAll(/from '([^']+)'/g)]);
  expect(
    imported.map(([, name = '']) => name).filter((name) => !/^\.\/.+\.js$/.test(name)),
  ).toEqual([]);
  expect(texts.join('')).not.toMatch(/node:|NodeJS|Buffer/);
});

it('is used by a program, which ends by itself', async () => {
  const csv = join(project, 'reviews.csv');
  await writeFile(csv, 'text\nI love it\nWorst service\n');
  const { stdout, stderr } = await run(process.execPath, ['program.mjs', csv], {
    cwd: project,
    env: { PATH: process.env.PATH, WINNOW_URL: app.url },
    timeout: endsWithinMs,
  });

  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([
    ...['praise', 'watched', 'succeeded', 'succeeded', '0', 4, true],
    ...['draft', true, true],
  ]);
});

it('is bundled for a browser, and needs nothing of Node there', async () => {
  const bundle = join(project, 'out/page.js');
  await mkdir(join(project, 'out'));
  await run(
    process.execPath,
    [
      join(root, 'node_modules/esbuild/bin/esbuild'),
      'page.mjs',
      '--bundle',
      '--platform=browser',
      '--format=iife',
      '--global-name=page',
      '--minify',
      `--outfile=${bundle}`,
    ],
    { cwd: project },
  );
  const { fetch, AbortController, AbortSignal, Blob, Response, ReadableStream } = globalThis;
  const { TextDecoder, URLSearchParams, crypto, setTimeout, clearTimeout } = globalThis;
  const page = createContext({
    ...{ fetch, AbortController, AbortSignal, Blob, Response, ReadableStream },
    ...{ TextDecoder, URLSearchParams, crypto, setTimeout, clearTimeout },
  });
  runInContext(await readFile(bundle, 'utf8'), page);
  const answer = await runInContext(`page.run(${JSON.stringify(app.url)})`, page);

  expect(JSON.parse(JSON.stringify(answer))).toEqual({
    label: 'praise',
    told: [
      { sentBytes: 0, totalBytes: 7 },
      { sentBytes: 7, totalBytes: 7 },
    ],
    status: 'completed',
    lines: 2,
  });
});
