import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/db/embedded/embedded.ts';
import { databaseHome } from '../../support/database-home.ts';
import { nodeEnv, nodeFlags } from '../../support/from-source.ts';
import { until } from '../../support/until.ts';

// Killed processes are the matter here, and Windows has neither a watchdog nor `ps`.
describe.skipIf(process.platform === 'win32')('the embedded Postgres', () => {
  let directory: string;
  const processes: ChildProcess[] = [];
  const started: EmbeddedPostgres[] = [];

  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(databaseHome(), 'winnow-embedded-')));
    await chmod(directory, 0o755);
  });

  afterEach(async () => {
    for (const child of processes.splice(0)) child.kill('SIGKILL');
    for (const { stop } of started.splice(0)) await stop();
    await untilStopped(directory);
    // An initdb that was left alone may still be writing.
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  it('answers a query at the first start, and keeps its data over a restart', async () => {
    const first = await start({ durable: true });
    await query(first.url, 'create table kept as select 7 as number');
    await first.stop();

    const second = await start({ durable: true });

    expect(await query(second.url, 'select number from kept')).toEqual([{ number: 7 }]);
    expect(first.reused).toBe(false);
    expect(second.reused).toBe(false);
    await second.stop();
    expect(await postgresOf(directory)).toEqual([]);
  });

  it('refuses a wrong password, and keeps the right one to the user it runs as', async () => {
    const { url, stop } = await start();
    const wrong = new URL(url);
    wrong.password = 'wrong';

    const refusal = query(wrong.href, 'select 1');

    await expect(refusal).rejects.toMatchObject({ code: '28P01' });
    const { mode } = await stat(join(directory, 'cluster', 'password'));
    expect(mode & 0o777).toBe(0o600);
    const log = await readFile(join(directory, 'cluster', 'postgres.log'), 'utf8');
    expect(log).not.toContain(new URL(url).password);
    await stop();
  });

  it('stops by itself when its only process is killed', async () => {
    const user = await startProcess();

    user.child.kill('SIGKILL');

    await untilStopped(directory);
    await expect(query(user.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is left to the process that takes over right after a kill', async () => {
    const killed = await startProcess();
    await query(killed.url, 'create table kept as select 7 as number');

    killed.child.kill('SIGKILL');
    const next = await start();

    await untilNoWatchdogFor(killed.pid);
    expect(await query(next.url, 'select number from kept')).toEqual([{ number: 7 }]);
    await next.stop();
    expect(await postgresOf(directory)).toEqual([]);
  });

  it('is started again when the server and its process are killed together', async () => {
    const killed = await startProcess();
    // The server is not durable: without this the commit would still be in the killed server's
    // memory.
    await query(killed.url, 'set synchronous_commit = on; create table kept as select 7 as number');

    for (const pid of await postgresOf(directory)) process.kill(pid, 'SIGKILL');
    killed.child.kill('SIGKILL');
    const next = await start();

    await untilNoWatchdogFor(killed.pid);
    expect(next.reused).toBe(false);
    expect(await query(next.url, 'select number from kept')).toEqual([{ number: 7 }]);
    await next.stop();
  });

  it('is shared by two processes, and stops with the last of them', async () => {
    const first = await startProcess();
    const second = await startProcess();
    const third = await startProcess();

    await first.stop();
    second.child.kill('SIGKILL');
    await untilNoWatchdogFor(second.pid);

    expect([first, second, third].map(({ reused }) => reused)).toEqual([false, true, true]);
    expect(await query(third.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await third.stop();
    expect(await postgresOf(directory)).toEqual([]);
  });

  it('is started once by processes that come at the same time', async () => {
    const starts = [1, 2, 3].map(() => start());
    const users = await Promise.all(starts);

    expect(users.filter(({ reused }) => !reused)).toHaveLength(1);
    expect(new Set(users.map(({ url }) => url)).size).toBe(1);
    await Promise.all(users.map(({ stop }) => stop()));
    expect(await postgresOf(directory)).toEqual([]);
  });

  it('is made anew when a process was killed while making it', async () => {
    const killed = spawnProcess();
    await until(async () => (await readdir(directory)).some((name) => name.startsWith('cluster')), {
      deadlineMs: 10_000,
      what: 'initdb has begun',
    });
    killed.kill('SIGKILL');

    const next = await start();

    expect(next.reused).toBe(false);
    expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect((await readdir(directory)).filter((name) => name.startsWith('cluster-'))).toEqual([]);
    await next.stop();
  });

  it('is not mistaken for a stranger that has got the pid of a dead server', async () => {
    const first = await start();
    const pidFile = join(directory, 'cluster', 'data', 'postmaster.pid');
    const text = await readFile(pidFile, 'utf8');
    await first.stop();
    await writeFile(pidFile, text.replace(/^\d+/, String(process.ppid)));

    const second = await start();

    expect(second.reused).toBe(false);
    await second.stop();
  });

  it('starts although a process was killed while it was starting or stopping it', async () => {
    // Beyond the largest pid of any system, so surely dead; its watchdog is gone as well, else that
    // would clear the lock.
    await symlink('999999999-1-dead', join(directory, 'lock'));

    const { url } = await start();

    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  /** In this process. Not durable unless a test is about that, because it is faster. */
  async function start({ durable = false } = {}): Promise<EmbeddedPostgres> {
    const embedded = await startEmbeddedPostgres({ directory, durable });
    started.push(embedded);
    return embedded;
  }

  function spawnProcess(): ChildProcess {
    const script = fileURLToPath(new URL('../../support/embedded-process.ts', import.meta.url));
    const child = spawn(process.execPath, [...nodeFlags, script, directory], {
      env: { ...process.env, ...nodeEnv },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    processes.push(child);
    return child;
  }

  async function startProcess(): Promise<UserProcess> {
    const child = spawnProcess();
    const { stdin, stdout, pid } = child;
    if (stdin === null || stdout === null || pid === undefined) throw new Error('No process');
    const [line] = await once(createInterface(stdout), 'line');
    const { url, reused } = JSON.parse(String(line)) as { url: string; reused: boolean };
    const stop = async (): Promise<void> => {
      stdin.end();
      await once(child, 'exit');
    };
    return { child, pid, url, reused, stop };
  }
});

interface UserProcess {
  child: ChildProcess;
  pid: number;
  url: string;
  reused: boolean;
  stop(): Promise<void>;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 5 });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Pids of the postmasters on the directory. */
async function postgresOf(directory: string): Promise<number[]> {
  return pidsOf((command) => command.includes(`${directory}/cluster/data`));
}

async function untilStopped(directory: string): Promise<void> {
  await until(async () => (await postgresOf(directory)).length === 0, {
    deadlineMs: 10_000,
    what: 'Postgres has stopped',
  });
}

/**
 * The watchdog names its process in its arguments; it is gone only after it has decided what to do.
 */
async function untilNoWatchdogFor(pid: number): Promise<void> {
  const watches = (command: string): boolean =>
    command.includes('winnow-watchdog') && command.includes(` ${pid}-`);
  await until(async () => (await pidsOf(watches)).length === 0, {
    deadlineMs: 10_000,
    what: `the watchdog of process ${pid} is gone`,
  });
}

async function pidsOf(matches: (command: string) => boolean): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,args='], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout
    .split('\n')
    .filter(matches)
    .map((line) => Number.parseInt(line, 10));
}
