/** What a check of the deployment files is, and how the checks' commands are run. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The repository. */
export const root = resolve(import.meta.dirname, '../..');

/** One thing that `npm run check:deploy` looks at. */
export interface Check {
  /** A sentence's end: what is held to be so. */
  name: string;
  /** What the check cannot be made without, a program or a path; each with its Debian package. */
  needs: Readonly<Record<string, string>>;
  /** Throws where it is not so; what it resolves to is printed. */
  run: () => Promise<string>;
}

/** Where a program lies; null where it is not installed. A path is looked for as it is. */
export function findProgram(name: string): string | null {
  if (name.startsWith('/')) return existsSync(name) ? name : null;
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // It may lie in another folder.
    }
  }
  return null;
}

/** How a command is run: where, with which variables in addition, and what it reads. */
export interface Running {
  cwd?: string;
  env?: Readonly<Record<string, string | undefined>>;
  input?: string;
}

/** What a command prints. Throws with all that it printed where it does not exit with 0. */
export async function run(program: string, args: readonly string[], running: Running = {}) {
  const { code, text } = await tryRun(program, args, running);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exits with ${code}:\n${text}`);
  return text;
}

/** The same for a command that may fail. */
export async function tryRun(
  program: string,
  args: readonly string[],
  { cwd = root, env = process.env, input = '' }: Running = {},
): Promise<{ code: number | null; text: string }> {
  const child = spawn(findProgram(program) ?? program, args, { cwd, env });
  const printed: Buffer[] = [];
  child.stdout.on('data', (chunk) => printed.push(chunk));
  child.stderr.on('data', (chunk) => printed.push(chunk));
  child.stdin.end(input);
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  return { code, text: Buffer.concat(printed).toString() };
}
