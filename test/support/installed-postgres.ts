/** A Postgres of this machine's own packages, for a run that POSTGRES_BIN gives the folder of. */
import { execFileSync } from 'node:child_process';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { unprivileged } from './unprivileged.ts';

const settings = [
  'listen_addresses=127.0.0.1',
  "unix_socket_directories=''",
  'max_connections=100',
  'shared_buffers=256MB',
  'jit=off',
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
];

/** Starts a server of the programs in `bin`, with its data in `directory`. */
export async function startInstalledPostgres(
  bin: string,
  directory: string,
): Promise<{ url: string; stop(): Promise<void> }> {
  const account = unprivileged();
  if (account) await chown(directory, account.uid, account.gid);
  const data = join(directory, 'data');
  const port = await freePort();
  const run = (program: string, ...parameters: string[]) =>
    execFileSync(join(bin, program), parameters, { ...account, cwd: directory, stdio: 'ignore' });
  run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync');
  const options = [`-p ${port}`, ...settings.map((setting) => `-c ${setting}`)].join(' ');
  run('pg_ctl', 'start', '-w', '-D', data, '-l', join(directory, 'log'), '-o', options);
  return {
    url: `postgres://postgres:none@127.0.0.1:${port}/postgres`,
    stop: async () => {
      run('pg_ctl', 'stop', '-w', '-m', 'immediate', '-D', data);
    },
  };
}
