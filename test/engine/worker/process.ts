import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { nodeEnv, nodeFlags } from '../../support/from-source.ts';
import { startFlags } from '../../support/start-flags.ts';
import { until } from '../../support/until.ts';

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const startDeadlineMs = 60_000;

/** Winnow in a process of its own. */
export interface WinnowProcess {
  readonly pid: number;
  /** Where it serves; empty where its role is worker. */
  readonly url: string;
  /** Everything it wrote. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

/** The header by which the sandbox can tell which process asked. */
export const processHeader = 'x-process';

/**
 * Starts `src/main.ts`, and resolves when it is up. `name` goes out with every request to the
 * sandbox, which is its only provider.
 */
export async function startProcess(
  name: string,
  {
    databaseUrl,
    sandbox,
    env = {},
  }: { databaseUrl: string; sandbox: Pick<Sandbox, 'url'>; env?: Record<string, string> },
): Promise<WinnowProcess> {
  const child = spawn(process.execPath, [...startFlags, ...nodeFlags, main], {
    // Not the repository: it may hold a .env.
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...nodeEnv,
      PATH: process.env.PATH,
      PORT: '0',
      ROLE: 'worker',
      LOG_LEVEL: 'warn',
      CONSOLE: 'off',
      DATABASE_URL: databaseUrl,
      PROVIDERS: JSON.stringify({
        test: { baseURL: sandbox.url, models: ['rules'], headers: { [processHeader]: name } },
      }),
      DEFAULT_MODEL: 'test/rules',
      ...env,
    },
  });
  let written = '';
  child.stdout.on('data', (data: Buffer) => (written += data.toString()));
  child.stderr.on('data', (data: Buffer) => (written += data.toString()));
  const exited = endOf(child);

  try {
    await until(() => child.exitCode !== null || written.includes('Winnow is up'), {
      deadlineMs: startDeadlineMs,
      what: `the start of ${name}`,
    });
    if (child.exitCode !== null) throw new Error(`${name} exited`);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}; it wrote: ${written}`, { cause: error });
  }
  return {
    pid: child.pid as number,
    url: /GraphQL +(\S+)\/graphql/.exec(written)?.[1] ?? '',
    output: () => written,
    signal: (signal) => void child.kill(signal),
    exited,
  };
}

async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return code ?? signal ?? 0;
}
