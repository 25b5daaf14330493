/** Debian's PgBouncer in transaction mode, where it is installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { unprivileged } from './unprivileged.ts';
import { until } from './until.ts';

export interface Pooler {
  /** The same database through it. */
  through(databaseUrl: string): string;
  stop(): Promise<void>;
}

/** Fewer than a process opens, so that statements of one client meet several connections. */
const serverConnections = 12;

/** Null where PgBouncer is not installed. `url` has the account that everybody comes as. */
export async function startPooler(url: string): Promise<Pooler | null> {
  if (spawnSync('pgbouncer', ['--version']).status !== 0) return null;
  const { hostname, port, username, password } = new URL(url);
  const folder = await mkdtemp(join(tmpdir(), 'winnow-pooler-'));
  const listenPort = await freePort();
  await writeFile(join(folder, 'users'), `"${username}" "${decodeURIComponent(password)}"\n`);
  await writeFile(
    join(folder, 'config'),
    `[databases]
* = host=${hostname} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = trust
auth_file = ${join(folder, 'users')}
pool_mode = transaction
default_pool_size = ${serverConnections}
max_client_conn = 500
`,
  );
  const account = unprivileged();
  if (account) {
    for (const name of ['', 'users', 'config']) {
      await chown(join(folder, name), account.uid, account.gid);
    }
  }
  const child: ChildProcess = spawn('pgbouncer', ['-q', join(folder, 'config')], {
    stdio: 'ignore',
    ...account,
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await until(() => answers(listenPort), { deadlineMs: 10_000, what: 'PgBouncer' });
  return {
    through(databaseUrl) {
      const changed = new URL(databaseUrl);
      changed.port = String(listenPort);
      return changed.href;
    },
    async stop() {
      child.kill('SIGINT');
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
