/**
 * The Postgres that all contestants share, a database for each, and the CPU time that its processes
 * take.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';

export interface BenchPostgres {
  /** A new, empty database; its URL. */
  database(name: string): Promise<string>;
  /**
   * Starts to measure CPU time: what is returned gives the microseconds of all processes of this
   * server since, null where /proc does not show them.
   */
  startCpu(): () => number | null;
  /** Writes out what is dirty, so that it is not charged to the next run. */
  settle(): Promise<void>;
  /** Bytes of write-ahead log so far. */
  walBytes(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * The server of DATABASE_URL, else one of our own, durable as in production, in a directory that is
 * removed at the end.
 */
export async function openBenchPostgres(): Promise<BenchPostgres> {
  const given = process.env.DATABASE_URL;
  const directory = given ? null : await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  if (directory) await chmod(directory, 0o755);
  const embedded = directory ? await startEmbeddedPostgres({ directory }) : null;
  const url = new URL(given ?? embedded?.url ?? '');
  const sql = postgres(url.href, { max: 1, onnotice: () => undefined });
  const databases: string[] = [];
  const postmaster = await findPostmaster(sql);

  return {
    async database(name) {
      const unique = `winnow_bench_${name}_${process.pid}_${databases.length}`;
      await sql`create database ${sql(unique)}`;
      databases.push(unique);
      const own = new URL(url);
      own.pathname = `/${unique}`;
      return own.href;
    },
    startCpu() {
      if (postmaster === null) return () => null;
      const before = cpuMicrosBelow(postmaster);
      return () => {
        let micros = 0;
        for (const [pid, now] of cpuMicrosBelow(postmaster)) micros += now - (before.get(pid) ?? 0);
        return micros;
      };
    },
    async settle() {
      await sql`checkpoint`;
    },
    async walBytes() {
      const [row] =
        await sql`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`;
      return Number(row?.bytes);
    },
    async stop() {
      for (const name of databases) await sql`drop database ${sql(name)} with (force)`;
      await sql.end();
      await embedded?.stop();
      if (directory) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The process whose children are the backends, when it runs here and may be looked at. */
async function findPostmaster(sql: postgres.Sql): Promise<number | null> {
  const [row] = await sql`select pg_backend_pid() as pid`;
  try {
    const { name, parent } = readStat(Number(row?.pid));
    return name.startsWith('postgres') ? parent : null;
  } catch {
    return null;
  }
}

/**
 * Time on a CPU of each child, by the scheduler's clock (nanoseconds; `stat` counts hundredths of a
 * second). A process that has ended is counted no more, so measure while connections stand;
 * autovacuum comes and goes, and is charged to nobody.
 */
function cpuMicrosBelow(postmaster: number): Map<number, number> {
  const micros = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      if (readStat(pid).parent !== postmaster) continue;
      const [running = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
      micros.set(pid, Number(running) / 1_000);
    } catch {
      // it has just ended
    }
  }
  return micros;
}

function readStat(pid: number): { name: string; parent: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(text) ?? [];
  return { name, parent: Number(rest.split(' ')[1]) };
}
