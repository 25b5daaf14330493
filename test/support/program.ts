/** The program as a user starts it, apart from the tests' own process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeEnv, nodeFlags } from './from-source.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Program {
  process: ChildProcess;
  /** What it has written so far. */
  readonly out: string;
  readonly errors: string;
  /** Its exit code, once it has ended. */
  ended: Promise<number | null>;
}

/** Starts `src/main.ts` of a folder with these variables alone. */
export function startProgram(env: Record<string, string>, folder = root): Program {
  const child = spawn(process.execPath, [...nodeFlags, 'src/main.ts'], {
    cwd: folder,
    env: { ...nodeEnv, PATH: process.env.PATH ?? '', PORT: '0', CONSOLE: 'off', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout?.on('data', (piece) => {
    out += String(piece);
  });
  child.stderr?.on('data', (piece) => {
    errors += String(piece);
  });
  return {
    process: child,
    get out() {
      return out;
    },
    get errors() {
      return errors;
    },
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
}
