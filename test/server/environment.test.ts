/** Where the program has its variables from. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nodeEnv, nodeFlags } from '../support/from-source.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'winnow-environment-'));
  await writeFile(join(cwd, '.env'), 'PORT=none\n');
});
afterAll(() => rm(cwd, { recursive: true }));

/** What a start in that folder says of its bad variables; HOST is one in any case. */
async function complaint(env: Record<string, string>): Promise<string> {
  const program = spawn(process.execPath, [...nodeFlags, main], {
    cwd,
    env: { ...nodeEnv, PATH: process.env.PATH ?? '', HOST: 'example.org', ...env },
  });
  const [errors] = await Promise.all([text(program.stderr), once(program, 'close')]);
  return errors;
}

it('.env of the folder is read', async () => {
  expect(await complaint({})).toContain('PORT must be');
});

it('.env is not read in production', async () => {
  const errors = await complaint({ NODE_ENV: 'production' });

  expect(errors).toContain('HOST');
  expect(errors).not.toContain('PORT must be');
});
