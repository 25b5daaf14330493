/**
 * Who uses the embedded Postgres. Several processes may share one: the first starts it, the last
 * stops it, and one that is killed has a watchdog that stands in for its stop.
 *
 * Each process puts one file into `owners/`, named `<pid>-<start of the process>-<nonce>`; the
 * start time tells it from a later process with the same pid. The server is started and stopped
 * only under `lock`, a symbolic link to its holder's name. A link is made whole in one step, so
 * that no lock is ever without a holder. A process that stops the server first removes its own
 * file, stops only when no live owner is left, and keeps the lock until the server has gone. So a
 * newcomer is either seen by the one who stops, or finds no server and starts one.
 *
 * One race is left. A holder is killed, and two break its lock. One of them is held up between
 * reading the dead name and moving the link away, and moves the link of a new holder. It notices
 * and puts it back. Only a third process that comes in that instant would hold the lock as well.
 *
 * Pids are compared, so processes in different containers must not share a directory.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartFailure } from '../../core/errors.ts';
import { isRunning } from '../../core/is-running.ts';
import { ignore, plainEnvironment, run } from './binaries.ts';

/** Longer than a start that has to recover after a crash. */
const lockDeadlineMs = 180_000;
const lockPollMs = 20;

/** A name for this call, unlike that of any other process or call. */
export async function nameOwner(): Promise<string> {
  const start = await startOfProcess(process.pid);
  return `${process.pid}-${start}-${randomBytes(4).toString('hex')}`;
}

/** Call under the lock. May be called again. */
export async function addOwner(home: string, owner: string): Promise<void> {
  await mkdir(join(home, 'owners'), { recursive: true });
  await writeFile(join(home, 'owners', owner), '');
}

/** Call under the lock. Clears away dead owners, and says whether a live one is left. */
export async function removeOwner(home: string, owner: string): Promise<{ isLast: boolean }> {
  const owners = join(home, 'owners');
  await unlink(join(owners, owner)).catch(ignore('ENOENT'));
  let isLast = true;
  for (const other of await readdir(owners)) {
    if (await isAlive(other)) isLast = false;
    else await unlink(join(owners, other)).catch(ignore('ENOENT'));
  }
  return { isLast };
}

/**
 * Does `work` while no other process starts or stops the server. Throws when the lock is not free
 * in three minutes.
 */
export async function withLock<T>(home: string, owner: string, work: () => Promise<T>): Promise<T> {
  const lock = join(home, 'lock');
  const deadline = Date.now() + lockDeadlineMs;
  while (!(await takeLock(lock, owner))) {
    await breakDeadLock(lock, owner);
    if (Date.now() > deadline) {
      throw new StartFailure(
        `Another process keeps starting or stopping the database: see ${lock}.`,
      );
    }
    await delay(lockPollMs);
  }
  try {
    return await work();
  } finally {
    if ((await holderOf(lock)) === owner) await unlink(lock).catch(ignore('ENOENT'));
  }
}

/**
 * Starts the process that does what `removeOwner` and a stop would have done, once this process is
 * gone. It is a shell script and not a Node program, so that it costs no memory and needs nothing
 * that an upgrade could take away. It ends by itself when the owner file goes. None on Windows,
 * where a killed process leaves the server to the next start.
 */
export function startWatchdog(home: string, owner: string): { end(): void } {
  if (process.platform === 'win32') return { end: () => {} };
  const child = spawn('sh', ['-c', watchdogScript, 'winnow-watchdog', home, owner], {
    cwd: '/',
    env: plainEnvironment,
    detached: true,
    stdio: 'ignore',
  });
  child.on('error', () => {
    // Without a shell nothing watches; the database works all the same and the next start
    // takes it over.
  });
  child.unref();
  return { end: () => void child.kill() };
}

/**
 * True where `pid` is a postmaster on this data directory: the pid in an old postmaster.pid may be
 * anybody's by now.
 */
export async function isPostmaster(pid: number, data: string): Promise<boolean> {
  if (process.platform === 'win32') return (await startOfProcess(pid)) !== null;
  if (process.platform === 'linux') {
    // A zombie, which a container's first process may never reap, has an empty command line.
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(ignore('ENOENT', 'ESRCH'));
    return command?.split('\0').includes(data) ?? false;
  }
  const { output } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
  return output.includes(data);
}

async function takeLock(lock: string, owner: string): Promise<boolean> {
  // A junction is the one kind of link that Windows lets everybody make; elsewhere the argument
  // means nothing.
  const taken = await symlink(owner, lock, 'junction').then(() => true, ignore('EEXIST'));
  return taken ?? false;
}

async function breakDeadLock(lock: string, owner: string): Promise<void> {
  const holder = await holderOf(lock);
  if (holder === null || (await isAlive(holder))) return;
  const aside = `${lock}-${owner}`;
  const moved = await rename(lock, aside).then(() => true, ignore('ENOENT'));
  if (moved === null) return;
  const taken = await holderOf(aside);
  await unlink(aside).catch(ignore('ENOENT'));
  if (taken !== null && taken !== holder) await takeLock(lock, taken);
}

async function holderOf(lock: string): Promise<string | null> {
  const target = await readlink(lock).catch(ignore('ENOENT'));
  return target === null ? null : basename(target);
}

async function isAlive(owner: string): Promise<boolean> {
  const [pid, start] = owner.split('-');
  return (await startOfProcess(Number(pid))) === start;
}

/**
 * When a process began, as letters and digits that mean nothing but "the same"; null when it is
 * gone or a zombie.
 */
async function startOfProcess(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(ignore('ENOENT', 'ESRCH'));
    // proc(5): the name, in parentheses, may hold anything; after it come the state and, 19 fields
    // on, the start time.
    const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  }
  if (process.platform === 'win32') return isRunning(pid) ? 'unknown' : null;
  const { output } = await run('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)]);
  const [state = '', ...date] = output.split(/\s+/);
  return state === '' || state.startsWith('Z') ? null : date.join('').replace(/[^0-9A-Za-z]/g, '');
}

/** The same rules as above, in POSIX sh. Arguments: home, owner. */
const watchdogScript = `
home=$1 owner=$2
lock=$home/lock data=$home/cluster/data

start_of_process() (
  if [ -r /proc/self/stat ]; then
    stat=
    { read -r stat < "/proc/$1/stat"; } 2>/dev/null
    set -- \${stat##*) }
    case $1 in Z | X) ;; *) echo "\${20}" ;; esac
  else
    set -- $(ps -o stat= -o lstart= -p "$1")
    case $1 in '' | Z*) ;; *) shift; echo "$*" | tr -cd '0-9A-Za-z' ;; esac
  fi
)

is_alive() (
  pid=\${1%%-*} rest=\${1#*-} now=$(start_of_process "\${1%%-*}")
  [ -n "$now" ] && [ "$now" = "\${rest%%-*}" ]
)

is_postmaster() (
  if [ -r /proc/self/cmdline ]; then
    tr '\\0' '\\n' 2>/dev/null < "/proc/$1/cmdline" | grep -qxF -e "$data"
  else
    ps -ww -o command= -p "$1" | grep -qF -e "$data"
  fi
) 2>/dev/null

while [ -e "$home/owners/$owner" ] && is_alive "$owner"; do sleep 1; done

# After two minutes without the lock (a full disk, say) go on: an orphan for ever is worse than the race.
self=$$-$(start_of_process $$)-watchdog tries=0
while [ -e "$home/owners/$owner" ] && ! ln -s "$self" "$lock" 2>/dev/null; do
  tries=$((tries + 1))
  [ $tries -lt 1200 ] || break
  holder=$(readlink "$lock") && ! is_alive "$holder" && mv "$lock" "$lock-$self" 2>/dev/null && {
    taken=$(readlink "$lock-$self")
    rm -f "$lock-$self"
    [ "$taken" = "$holder" ] || ln -s "$taken" "$lock"
  }
  sleep 0.1
done

if rm "$home/owners/$owner" 2>/dev/null; then
  last=yes
  for other in "$home"/owners/*; do
    if is_alive "\${other##*/}"; then last=no; else rm -f "$other"; fi
  done
  read -r pid 2>/dev/null < "$data/postmaster.pid"
  if [ $last = yes ] && [ -n "$pid" ] && is_postmaster "$pid"; then
    # SIGINT is Postgres' fast shutdown.
    kill -INT "$pid"
    tries=0
    while is_postmaster "$pid" && [ $tries -lt 600 ]; do tries=$((tries + 1)); sleep 0.1; done
  fi
fi
[ "$(readlink "$lock")" = "$self" ] && rm -f "$lock"
`;
