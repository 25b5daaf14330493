/**
 * The workers' lease: one row a process, renewed by its heartbeat. Time is the database's alone. A
 * process that only serves has a row too, under an id of its own kind: it holds no chunks, and
 * counts where the providers' limits are divided.
 */
import type { Sql } from './driver/client.ts';

/** Enters a worker; its lease runs from now. */
export async function insertWorker(
  sql: Sql,
  worker: { id: string; machine: string; pid: number; leaseMs: number },
): Promise<void> {
  const { id, machine, pid, leaseMs } = worker;
  await sql`
    insert into workers (id, machine, pid, expires_at)
    values (${id}, ${machine}, ${pid}, now() + make_interval(secs => ${leaseMs / 1000}))`;
}

/** The workers of one machine whose lease still runs. */
export async function listWorkers(
  sql: Sql,
  machine: string,
): Promise<{ id: string; pid: number }[]> {
  return await sql<{ id: string; pid: number }[]>`
    select id, pid from workers where machine = ${machine} and expires_at > now()`;
}

/**
 * Renews a lease that still runs. False when it ran out: the worker is dead to all others and must
 * take a new id.
 */
export async function renewWorker(sql: Sql, id: string, leaseMs: number): Promise<boolean> {
  const renewed = await sql`
    update workers set expires_at = now() + make_interval(secs => ${leaseMs / 1000})
    where id = ${id} and expires_at > now()`;
  return renewed.count === 1;
}

/** Takes a worker out, so that whatever it still holds is reclaimed at once. */
export async function deleteWorker(sql: Sql, id: string): Promise<void> {
  await sql`delete from workers where id = ${id}`;
}

/** Forgets workers that have been dead for an hour. */
export async function deleteDeadWorkers(sql: Sql): Promise<void> {
  await sql`delete from workers where expires_at < now() - interval '1 hour'`;
}

/** The ids of processes that serve and do not work begin so. */
export const apiIdPrefix = 'api_';

/** Enters a process that only serves, or renews its lease, also one that ran out. */
export async function keepApiProcess(
  sql: Sql,
  api: { id: string; machine: string; pid: number; leaseMs: number },
): Promise<void> {
  const { id, machine, pid, leaseMs } = api;
  await sql`
    insert into workers (id, machine, pid, expires_at)
    values (${id}, ${machine}, ${pid}, now() + make_interval(secs => ${leaseMs / 1000}))
    on conflict (id) do update set expires_at = excluded.expires_at`;
}

/** How many processes live: those that work, and those that only serve. */
export async function countProcesses(sql: Sql): Promise<{ workers: number; apis: number }> {
  const [counts] = await sql<{ workers: number; apis: number }[]>`
    select count(*) filter (where not starts_with(id, ${apiIdPrefix}))::int as workers,
      count(*) filter (where starts_with(id, ${apiIdPrefix}))::int as apis
    from workers where expires_at > now()`;
  return counts ?? { workers: 0, apis: 0 };
}
