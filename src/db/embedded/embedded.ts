/**
 * A real Postgres for those who have none: started from the binaries of an npm package, in a folder
 * of our own, and stopped with the last process that uses it. What the folder holds:
 *
 *     cluster/data/          Postgres' data directory
 *     cluster/password       of the superuser, 0600
 *     cluster/postgres.log   since the last start; the one before is postgres.previous.log
 *     owners/  lock          who uses it (embedded-owners.ts)
 */
import { existsSync } from 'node:fs';
import { access, chmod, constants, mkdir, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { StartFailure } from '../../core/errors.ts';
import {
  type Cluster,
  clusterFolder,
  endOfLog,
  findPostmaster,
  openCluster,
  type Postmaster,
  readPassword,
  readyDeadlineSeconds,
  startPostmaster,
  stopPostmaster,
} from './cluster.ts';
import { guardPostmaster, type ServerEvent } from './guard.ts';
import { addOwner, nameOwner, removeOwner, startWatchdog, withLock } from './owners.ts';

const answerPollMs = 20;

export interface EmbeddedPostgres {
  /** Holds the password: not for logs. */
  url: string;
  /** True when another process had started the server, whose settings (`durable`) hold. */
  reused: boolean;
  /** Gives the server up, and stops it when nobody uses it. Close your connections first. */
  stop(): Promise<void>;
}

/**
 * Starts Postgres in `directory`, which is made if need be, or joins the one that already runs
 * there; returns when a query has been answered. From then on the server is started again where it
 * ends by itself. `durable: false` trades safety against power loss for speed, for tests. Throws an
 * Error that says what to do where no Postgres can run here, and one with the end of Postgres' log
 * where it does not start.
 */
export async function startEmbeddedPostgres({
  directory,
  durable = true,
  onEvent = () => undefined,
}: {
  directory: string;
  durable?: boolean;
  /** Hears that the server ended by itself and was started again, or could not be. */
  onEvent?: (event: ServerEvent) => void;
}): Promise<EmbeddedPostgres> {
  const home = await makeHome(directory);
  const owner = await nameOwner();
  let watchdog: { end(): void } | undefined;
  let cluster: Cluster | undefined;
  let guard: { stop(): Promise<void> } | undefined;

  const leave = async (): Promise<void> => {
    await guard?.stop();
    await withLock(home, owner, async () => {
      const { isLast } = await removeOwner(home, owner);
      if (isLast && cluster !== undefined) await stopPostmaster(cluster);
    });
    watchdog?.end();
  };

  const join = async (): Promise<Joined> => {
    await addOwner(home, owner);
    // Before the server, so that being killed at no moment leaves it alone.
    watchdog ??= startWatchdog(home, owner);
    cluster ??= await openCluster(home, durable);
    const running = await findPostmaster(cluster);
    const postmaster = running ?? (await startPostmaster(cluster));
    return { cluster, postmaster, reused: running !== null };
  };

  try {
    const deadline = Date.now() + readyDeadlineSeconds * 1000;
    for (;;) {
      const joined = await withLock(home, owner, join);
      const url = await urlOf(joined);
      if (await answers(url, joined, deadline)) {
        guard = guardPostmaster({
          cluster: joined.cluster,
          port: joined.postmaster.port,
          withLock: (work) => withLock(home, owner, work),
          onEvent,
        });
        let stopped: Promise<void> | undefined;
        const stop = (): Promise<void> => {
          stopped ??= leave();
          return stopped;
        };
        return { url, reused: joined.reused, stop };
      }
      // It went away while we waited, stopped or killed by somebody who is not an owner; so the
      // next round starts it.
    }
  } catch (error) {
    if (watchdog !== undefined) await leave();
    throw error;
  }
}

/** True where a server was ever started in `directory`; its data may be another account's. */
export function isMade(directory: string): boolean {
  return existsSync(clusterFolder(directory));
}

interface Joined {
  cluster: Cluster;
  postmaster: Postmaster;
  reused: boolean;
}

async function makeHome(directory: string): Promise<string> {
  const path = resolve(directory);
  const made = await mkdir(path, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    const message = `The folder ${path} cannot be made (${cause.code}): choose another DATA_DIR, or set DATABASE_URL.`;
    throw new StartFailure(message, { cause });
  });
  // The account that Postgres changes to must be able to enter; what is private lies in cluster/,
  // which is its alone.
  if (made !== undefined) await chmod(path, 0o755);
  await access(path, constants.W_OK).catch((cause: unknown) => {
    const message = `This user may not write to ${path}: choose another DATA_DIR, or set DATABASE_URL.`;
    throw new StartFailure(message, { cause });
  });
  return realpath(path);
}

async function urlOf({ cluster, postmaster }: Joined): Promise<string> {
  return `postgres://postgres:${await readPassword(cluster)}@127.0.0.1:${postmaster.port}/postgres`;
}

/**
 * True when a query is answered, false when the server goes away before that. Throws at the
 * deadline (epoch ms).
 */
async function answers(
  url: string,
  { cluster, postmaster }: Joined,
  deadline: number,
): Promise<boolean> {
  for (;;) {
    const sql = postgres(url, { max: 1, connect_timeout: 5, fetch_types: false });
    try {
      await sql`select 1`;
      return true;
    } catch (error) {
      // Starting up and shutting down are refusals that pass; a wrong password is not.
      const refused = error instanceof postgres.PostgresError && error.code !== cannotConnectNow;
      if (refused || Date.now() > deadline) {
        const message = `Postgres runs, but refuses a query. ${await endOfLog(cluster)}`;
        throw new StartFailure(message, { cause: error });
      }
    } finally {
      await sql.end({ timeout: 1 });
    }
    if ((await findPostmaster(cluster))?.pid !== postmaster.pid) return false;
    await delay(answerPollMs);
  }
}

/** While it starts or stops: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const cannotConnectNow = '57P03';
