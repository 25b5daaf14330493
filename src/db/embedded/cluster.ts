/**
 * One database cluster on disk and the server that runs on it. Everything that changes either is
 * called under the lock of embedded-owners.ts.
 */
import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartFailure } from '../../core/errors.ts';
import {
  type Account,
  chooseAccount,
  findPostgresBinaries,
  ignore,
  type PostgresBinaries,
  runAs,
} from './binaries.ts';
import { isPostmaster } from './owners.ts';

/** For a start or a wait with recovery after a crash, which reads up to max_wal_size of log. */
export const readyDeadlineSeconds = 120;
const stopDeadlineSeconds = 60;
/** The backends of a killed postmaster keep its shared memory, and so all others out, a while. */
const startRetryMs = 5_000;
const startPollMs = 50;

const serverSettings = [
  'listen_addresses=127.0.0.1',
  "unix_socket_directories=''",
  'max_connections=100',
  'shared_buffers=256MB',
  'max_wal_size=2GB',
  'wal_compression=on',
  'jit=off',
  // Without this the log would quote rows, in the details of constraint and COPY errors.
  'log_error_verbosity=terse',
];
const notDurableSettings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** A cluster that exists, with the programs and the account that it runs with. */
export interface Cluster {
  folder: string;
  data: string;
  binaries: PostgresBinaries;
  account: Account;
  durable: boolean;
}

export interface Postmaster {
  pid: number;
  port: number;
}

/** The folder of a home's cluster, which is there once it has been made as a whole. */
export function clusterFolder(home: string): string {
  return join(home, 'cluster');
}

/** Opens the cluster of a home, or makes it. Throws where it cannot be used or made. */
export async function openCluster(home: string, durable: boolean): Promise<Cluster> {
  const folder = clusterFolder(home);
  const data = join(folder, 'data');
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(
    ignore('ENOENT', 'EACCES'),
  );
  const binaries = await findPostgresBinaries(version === null ? null : Number(version));
  const account = await chooseAccount(binaries, { home, cluster: folder });
  const cluster = { folder, data, binaries, account, durable };
  if (version === null) await createCluster(home, cluster);
  return cluster;
}

export function readPassword({ folder }: Cluster): Promise<string> {
  return readFile(join(folder, 'password'), 'utf8');
}

/** Null when no server runs on the cluster, whatever its postmaster.pid says. */
export async function findPostmaster({ data }: Cluster): Promise<Postmaster | null> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(ignore('ENOENT'));
  // Lines of the file: pid, data directory, start time, port, …
  const lines = text?.split('\n') ?? [];
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  return pid > 0 && port > 0 && (await isPostmaster(pid, data)) ? { pid, port } : null;
}

/**
 * Starts the server, on `port` or on one that is free; call it only when `findPostmaster` has found
 * none. Throws with the end of its log.
 */
export async function startPostmaster(cluster: Cluster, port?: number): Promise<Postmaster> {
  const { folder, data, binaries, account, durable } = cluster;
  const log = join(folder, 'postgres.log');
  await rename(log, join(folder, 'postgres.previous.log')).catch(ignore('ENOENT'));
  const settings = durable ? serverSettings : [...serverSettings, ...notDurableSettings];
  const retryUntil = Date.now() + startRetryMs;
  for (;;) {
    // Left by a postmaster that was killed. Postgres clears it too, but not while the pid is a
    // zombie's or another's.
    await rm(join(data, 'postmaster.pid'), { force: true });
    const options = [
      `-p ${port ?? (await findFreePort())}`,
      ...settings.map((setting) => `-c ${setting}`),
    ];
    const limit = String(readyDeadlineSeconds);
    const start = ['start', '-s', '-w', '-t', limit, '-D', data, '-o', options.join(' ')];
    const output = await open(log, 'a', 0o600);
    const { code } = await runAs(account, binaries.pgCtl, start, { outputTo: output.fd }).finally(
      () => output.close(),
    );
    // One is there without code 0 after a long recovery, or when a process that was killed had been
    // starting it.
    const started = await findPostmaster(cluster);
    if (started !== null) return started;
    if (Date.now() > retryUntil) {
      throw new StartFailure(
        `Postgres does not start (pg_ctl: ${code}). ${await endOfLog(cluster)}`,
      );
    }
    await delay(startPollMs);
  }
}

/** Stops a running server: fast, which cuts connections off, else immediately, still safely. */
export async function stopPostmaster(cluster: Cluster): Promise<void> {
  const { data, binaries, account } = cluster;
  for (const mode of ['fast', 'immediate']) {
    if ((await findPostmaster(cluster)) === null) return;
    const limit = String(stopDeadlineSeconds);
    await runAs(account, binaries.pgCtl, ['stop', '-s', '-w', '-t', limit, '-m', mode, '-D', data]);
  }
  if ((await findPostmaster(cluster)) !== null) {
    throw new Error(`Postgres does not stop. ${await endOfLog(cluster)}`);
  }
}

/** For the end of an error message. */
export async function endOfLog({ folder }: Cluster): Promise<string> {
  const log = join(folder, 'postgres.log');
  const text = (await readFile(log, 'utf8').catch(ignore('ENOENT'))) ?? '';
  return `The last lines of ${log}:\n${text.trimEnd().split('\n').slice(-12).join('\n')}`;
}

/**
 * In a folder beside its place, moved there when complete: a crash leaves nothing half-made that
 * looks whole.
 */
async function createCluster(
  home: string,
  { folder, binaries, account, durable }: Cluster,
): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith('cluster-')) continue;
    // The initdb of a killed process may still be writing there.
    await rm(join(home, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  const draft = join(home, `cluster-${randomBytes(4).toString('hex')}`);
  const password = join(draft, 'password');
  await mkdir(draft, { mode: 0o700 });
  await writeFile(password, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (account.user !== null) {
    const { uid, gid } = account.user;
    await chown(password, uid, gid);
    await chown(draft, uid, gid);
  }

  const failures: string[] = [];
  // Not every system knows C.UTF-8. C sorts the same; only its lower() and upper() stop at ASCII.
  for (const locale of ['C.UTF-8', 'C']) {
    const { code, output } = await runAs(account, binaries.initdb, [
      `--pgdata=${join(draft, 'data')}`,
      '--username=postgres',
      `--pwfile=${password}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      `--locale=${locale}`,
      '--no-instructions',
      ...(durable ? [] : ['--no-sync']),
    ]);
    if (code === 0) {
      await rename(draft, folder);
      if (durable) await syncFolder(home);
      return;
    }
    failures.push(output);
  }
  await rm(draft, { recursive: true, force: true });
  throw new StartFailure(`initdb could not make a database in ${home}: ${failures.at(-1)}`);
}

/** Makes the rename last through a power cut. Windows cannot open folders. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path);
  await folder.sync().finally(() => folder.close());
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
