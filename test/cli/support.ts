/** The command as a user runs it: a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { databaseHome } from '../support/database-home.ts';

export const program = fileURLToPath(new URL('../../src/cli/winnow.js', import.meta.url));

interface Ran {
  code: number | null;
  out: string;
  err: string;
}

export interface Running {
  process: ChildProcess;
  readonly out: string;
  readonly err: string;
  ended: Promise<Ran>;
}

interface RunOptions {
  env?: Record<string, string>;
  /** What standard input has; absent: nothing. */
  input?: string;
  /** A process group of its own. */
  detached?: boolean;
}

export interface Folder {
  path: string;
  file(name: string): string;
  start(args: readonly string[], options?: RunOptions): Running;
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** What the one JSON object on standard output has. */
  json(args: readonly string[], options?: RunOptions): Promise<Record<string, any> & Ran>;
  remove(): void;
}

/** A folder in which commands run, with these variables alone; it may hold their database. */
export function openFolder(env: Record<string, string> = {}): Folder {
  const path = mkdtempSync(join(databaseHome(), 'winnow-cli-'));

  function start(args: readonly string[], options: RunOptions = {}): Running {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: path,
      env: { PATH: process.env.PATH, ...env, ...options.env },
      detached: options.detached ?? false,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.stdin?.end(options.input);
    return {
      process: child,
      get out() {
        return out;
      },
      get err() {
        return err;
      },
      ended: once(child, 'close').then(([code]) => ({ code, out, err })),
    };
  }

  return {
    path,
    file: (name) => join(path, name),
    start,
    run: (args, options) => start(args, options).ended,
    async json(args, options) {
      const ran = await start([...args, '--json'], options).ended;
      return { ...ran, ...JSON.parse(ran.out) };
    },
    remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}
