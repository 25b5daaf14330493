/** Every block of the documents runs as written, in order, and gives what is shown below it. */
import { execFile, spawnSync } from 'node:child_process';
import { access, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Data, subscribeSse } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { type Block, readBlocks } from './blocks.ts';
import { documents } from './documents.ts';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url);
const hasZsh = spawnSync('zsh', ['--version']).status === 0;
const shells = ['bash', ...(hasZsh ? ['zsh'] : [])];
const deadlineMs = 30_000;

// An app for each shell, since a document may name idempotency keys.
describe.each(shells)('in %s', (shell) => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ DEFAULT_MODEL: 'sandbox/rules' });
  });
  afterAll(async () => {
    await app.stop();
  });

  describe.each(documentsFor(shell))('%s', (name) => {
    const blocks = blocksOf(name);
    let directory: string;
    /** What stands for `batch_…` and `file_…`: the last that an answer named. */
    const ids = { batch: '', file: '' };
    let shown = '';

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'winnow-docs-'));
      await mkdir(join(directory, 'bin'));
      // As `npm link` does it.
      await symlink(
        fileURLToPath(new URL('src/cli/winnow.js', root)),
        join(directory, 'bin', 'winnow'),
      );
    });
    afterAll(async () => {
      await rm(directory, { recursive: true });
    });

    function filled(text: string): string {
      return text
        .replaceAll(/(localhost|127\.0\.0\.1):4000/g, new URL(app.url).host)
        .replaceAll('batch_…', ids.batch)
        .replaceAll('file_…', ids.file);
    }

    function remember(answer: string): void {
      shown = answer;
      ids.batch = answer.match(/batch_[\w-]{10,}/g)?.at(-1) ?? ids.batch;
      ids.file = answer.match(/file_[\w-]{10,}/g)?.at(-1) ?? ids.file;
    }

    async function perform({ language, text, notRun }: Block): Promise<void> {
      if (notRun !== null) {
        if (language !== 'sh') return;
        await run(shell, ['-n', '-c', text]);
        await filesExist(text);
      } else if (language === 'sh') {
        const { stdout } = await run(shell, ['-e', '-u', '-c', filled(text)], {
          cwd: directory,
          timeout: deadlineMs,
          env: {
            ...process.env,
            WINNOW_URL: app.url,
            PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
          },
        });
        remember(stdout);
        expect(stdout).not.toContain('"error":{');
      } else if (language === 'js') {
        const program = ['--input-type=module', '--eval', filled(text)];
        const { stdout } = await run(process.execPath, program, { cwd: root, timeout: deadlineMs });
        remember(stdout);
      } else if (language === 'graphql') {
        remember(await ask(filled(text)));
      } else if (language === 'json') {
        expect(JSON.parse(shown)).toMatchObject(likeShown(JSON.parse(text)));
      } else if (language === 'csv') {
        expect(shown.trimEnd().split(/\r?\n/)).toEqual(text.split('\n'));
      } else {
        expect(stripTypeScriptTypes(text).trim()).not.toBe('');
      }
    }

    async function ask(query: string): Promise<string> {
      const variables = { id: ids.batch };
      if (query.startsWith('subscription')) {
        const events = subscribeSse(app, query, variables);
        const all = await events.ended();
        expect(events.errors).toEqual([]);
        expect(all.length).toBeGreaterThan(0);
        return JSON.stringify(all);
      }
      const { data, errors } = await app.graphql<Data>(query, variables);
      expect(errors).toBeUndefined();
      return JSON.stringify(data);
    }

    it.each(blocks.map((block) => [`line ${block.line}: ${block.language}`, block] as const))(
      '%s',
      async (_where, block) => {
        await perform(block);
      },
    );
  });
});

function blocksOf(name: string): Block[] {
  // Diagrams are drawn by the reader's browser.
  return readBlocks(new URL(name, root)).filter(({ language }) => language !== 'mermaid');
}

/** A document without commands is the same in every shell. */
function documentsFor(shell: string): string[] {
  const hasCommands = (name: string) => blocksOf(name).some(({ language }) => language === 'sh');
  return documents.filter((name) => shell === shells[0] || hasCommands(name));
}

/** A text that ends in an ellipsis has another value each time. */
function likeShown(value: unknown): any {
  if (typeof value === 'string' && value.endsWith('…')) {
    return expect.stringMatching(new RegExp(`^${value.slice(0, -1)}`));
  }
  if (Array.isArray(value)) return value.map(likeShown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, likeShown(one)]));
}

/** Files of the repository that a command names exist; `dist` is made by a build. */
async function filesExist(text: string): Promise<void> {
  for (const [, file = ''] of text.matchAll(/(?:^|\s)((?:src|test|docs|\.ci)\/[\w./-]+)/g)) {
    await access(new URL(file, root));
  }
}
