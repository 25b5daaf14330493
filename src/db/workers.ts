/**
 * The workers' lease: one row a process, renewed by its heartbeat. Time is the database's alone. A
 * process that only serves has a row too, under an id of its own kind: it holds no chunks, and
 * counts where the providers' limits are divided.
 */
import { and, eq, gt, lt, sql } from 'drizzle-orm';
import { after } from './clock.ts';
import type { Builder, Sql } from './driver/client.ts';
import { workers } from './tables.ts';

/** A process as it enters itself. `pid` is one of the process ids of `machine`. */
interface NewProcess {
  id: string;
  machine: string;
  pid: number;
  leaseMs: number;
  concurrency?: number | undefined;
  /** JSON of how its providers do; null before its first call. */
  state?: string | null | undefined;
}

/** Enters a worker; its lease runs from now. */
export async function insertWorker({ query }: Builder, worker: NewProcess): Promise<void> {
  await query.insert(workers).values(entryOf(worker));
}

/** The workers of one machine whose lease still runs. */
export async function listWorkers(
  { query }: Builder,
  machine: string,
): Promise<{ id: string; pid: number }[]> {
  return await query
    .select({ id: workers.id, pid: workers.pid })
    .from(workers)
    .where(and(eq(workers.machine, machine), isAlive));
}

/**
 * Renews a lease that still runs. False when it ran out: the worker is dead to all others and must
 * take a new id.
 */
export async function renewWorker(
  { query }: Builder,
  id: string,
  { leaseMs, state = null }: Pick<NewProcess, 'leaseMs' | 'state'>,
): Promise<boolean> {
  const renewed = await query
    .update(workers)
    .set({ expiresAt: after(leaseMs), state })
    .where(and(eq(workers.id, id), isAlive))
    .returning({ id: workers.id });
  return renewed.length === 1;
}

/** True where a live worker holds items of any batch; what is in a provider batch needs none. */
export async function holdWorkersChunks(sql: Sql): Promise<boolean> {
  const [look] = await sql<{ hold: boolean }[]>`
    select exists (
      select from workers w
      where w.expires_at > now()
        and exists (select from chunks c where c.state = 'leased' and c.owner = w.id)
    ) as hold`;
  return look?.hold ?? false;
}

/** Takes a worker out, so that whatever it still holds is reclaimed at once. */
export async function deleteWorker({ query }: Builder, id: string): Promise<void> {
  await query.delete(workers).where(eq(workers.id, id));
}

/** Forgets workers that have been dead for an hour. */
export async function deleteDeadWorkers({ query }: Builder): Promise<void> {
  await query.delete(workers).where(lt(workers.expiresAt, sql`now() - interval '1 hour'`));
}

/** The ids of processes that serve and do not work begin so. */
export const apiIdPrefix = 'api_';

/** Enters a process that only serves, or renews its lease, also one that ran out. */
export async function keepApiProcess({ query }: Builder, api: NewProcess): Promise<void> {
  const entry = entryOf(api);
  const { expiresAt, state } = entry;
  await query
    .insert(workers)
    .values(entry)
    .onConflictDoUpdate({ target: workers.id, set: { expiresAt, state } });
}

/** A live process, as it said of itself with its last heartbeat. */
export interface LiveProcess {
  id: string;
  works: boolean;
  startedAt: Date;
  concurrency: number | null;
  state: string | null;
}

/** The processes that live, the longest running first. */
export async function listProcesses({ query }: Builder): Promise<LiveProcess[]> {
  const { id, startedAt, concurrency, state } = workers;
  const live = await query
    .select({ id, startedAt, concurrency, state })
    .from(workers)
    .where(isAlive)
    .orderBy(startedAt, id);
  return live.map((process) => ({ ...process, works: !process.id.startsWith(apiIdPrefix) }));
}

/** Number of processes that live: those that work, and those that only serve. */
export async function countProcesses({
  query,
}: Builder): Promise<{ workers: number; apis: number }> {
  const serves = sql`starts_with(${workers.id}, ${apiIdPrefix})`;
  const [counts] = await query
    .select({
      workers: sql<number>`(count(*) filter (where not ${serves}))::int`,
      apis: sql<number>`(count(*) filter (where ${serves}))::int`,
    })
    .from(workers)
    .where(isAlive);
  return counts ?? { workers: 0, apis: 0 };
}

const isAlive = gt(workers.expiresAt, sql`now()`);

function entryOf({ id, machine, pid, leaseMs, concurrency, state = null }: NewProcess) {
  return { id, machine, pid, expiresAt: after(leaseMs), concurrency, state };
}
