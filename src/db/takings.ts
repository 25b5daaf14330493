/**
 * The takings of an owner, within what LIMITS leaves it: batches, items and bytes. What is taken is
 * stored by the statement that looks whether it fits, under a turn that one process at a time can
 * have.
 */
import type postgres from 'postgres';
import { AppError, LimitExceeded, type LimitName } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import type { Sql } from './driver/client.ts';

/** A taking from an owner's limits. */
export interface Taking {
  owner: string;
  limits: Limits;
  /** The id of the batch that is to be active from now on; null where none is. */
  batch: string | null;
  /** Items that start. */
  items: number;
  /** Bytes that are stored. */
  bytes: number;
}

/** The takings of an owner by now. */
interface Taken {
  batches: number;
  items: number;
  bytes: number;
  /** The next 00:00 UTC. */
  nextDay: Date;
}

/** The same with what has no limit left out, as nobody counts it. */
export type OwnerTakings = Omit<Taken, 'batches' | 'items' | 'bytes'> & {
  batches: number | null;
  items: number | null;
  bytes: number | null;
};

/** Others that take at the same time make it try again at once, so often. */
const maxTries = 200;

/** A taking of which anything is limited; null otherwise. */
export function takingOf(
  limits: Limits | null,
  { owner, batch = null, items = 0, bytes = 0 }: Partial<Taking> & { owner: string },
): Taking | null {
  if (limits === null) return null;
  const { activeBatches, itemsPerDay, storageBytes } = limits;
  const isLimited =
    (activeBatches !== null && batch !== null) ||
    (itemsPerDay !== null && items > 0) ||
    (storageBytes !== null && bytes > 0);
  return isLimited ? { owner, limits, batch, items, bytes } : null;
}

/** Begins a statement: the row `taken` is there where the taking fits, and is counted then. */
export function takenFirst(sql: Sql, taking: Taking | null): postgres.Fragment {
  if (taking === null) return sql``;
  const { owner, limits, batch, items, bytes } = taking;
  const { activeBatches, itemsPerDay, storageBytes } = limits;
  const conditions: postgres.Fragment[] = [
    ...(activeBatches !== null && batch !== null
      ? [sql`${countActive(sql, owner, batch)} + 1 <= ${activeBatches}`]
      : []),
    ...(itemsPerDay !== null && items > 0
      ? [sql`${countToday(sql, owner)} + ${items} <= ${itemsPerDay}`]
      : []),
    ...(storageBytes !== null && bytes > 0
      ? [sql`${countBytes(sql, owner)} + ${bytes} <= ${storageBytes}`]
      : []),
  ];
  const fits = conditions.reduce((all, one) => sql`${all} and ${one}`);
  return sql`
    standing as materialized (
      select coalesce((select turn from takings where owner = ${owner}), 0) as turn, ${today(sql)} as day
      where ${fits}
    ),
    taken as (
      insert into takings as t (owner, turn, day, items)
      select ${owner}::text, 1, day, ${items}::bigint from standing
      on conflict (owner) do update
        set turn = t.turn + 1, day = excluded.day,
            items = excluded.items + case when t.day = excluded.day then t.items else 0 end
        where t.turn = (select turn from standing)
      returning 1
    ),`;
}

/** True where the statements behind `takenFirst` may run. */
export function isTaken(sql: Sql, taking: Taking | null): postgres.Fragment {
  return taking === null ? sql`true` : sql`exists (select from taken)`;
}

/**
 * Stores under limits. `store` says whether the taking was counted, and what came of it. Throws
 * LimitExceeded where it does not fit: then nothing is stored.
 */
export async function storeWithin<T>(
  sql: Sql,
  taking: Taking | null,
  store: () => Promise<{ isTaken: boolean; result: T }>,
): Promise<T> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const { isTaken, result } = await store();
    if (isTaken || taking === null) return result;
    await refuseOver(sql, taking);
  }
  throw new AppError(
    'TOO_MANY_REQUESTS',
    'Too many requests of this owner take at once; try again',
  );
}

/** Counts items that start outside of batches. Throws LimitExceeded. */
export async function takeItems(sql: Sql, taking: Taking | null): Promise<void> {
  if (taking === null) return;
  await storeWithin(sql, taking, async () => {
    const [row] = await sql<{ isTaken: boolean }[]>`
      with ${takenFirst(sql, taking)}
      done as (select ${isTaken(sql, taking)} as "isTaken")
      select * from done`;
    return { isTaken: row?.isTaken ?? false, result: undefined };
  });
}

/** Gives items back that did not start after all. */
export async function giveBackItems(sql: Sql, owner: string, items: number): Promise<void> {
  if (items <= 0) return;
  await sql`
    update takings set items = greatest(0, items - ${items})
    where owner = ${owner} and day = ${today(sql)}`;
}

/** Bytes that an owner may still store; null without a limit. */
export async function readBytesLeft(
  sql: Sql,
  owner: string,
  limits: Limits | null,
): Promise<number | null> {
  const allowed = limits?.storageBytes ?? null;
  if (allowed === null) return null;
  const [row] = await sql<{ bytes: number }[]>`select ${countBytes(sql, owner)} as bytes`;
  return allowed - (row?.bytes ?? 0);
}

/** The takings of an owner by now. What has no limit is not counted. */
export async function readTakings(sql: Sql, owner: string, limits: Limits): Promise<OwnerTakings> {
  const counted = (limit: number | null, count: postgres.Fragment) =>
    limit === null ? sql`null::float8` : count;
  const [row] = await sql<OwnerTakings[]>`
    select ${counted(limits.activeBatches, countActive(sql, owner, null))} as batches,
           ${counted(limits.itemsPerDay, countToday(sql, owner))} as items,
           ${counted(limits.storageBytes, countBytes(sql, owner))} as bytes,
           (${today(sql)} + 1)::timestamp at time zone 'utc' as "nextDay"`;
  if (!row) throw new Error('nothing was counted');
  return row;
}

/** Throws LimitExceeded for the first limit that a taking passes. */
async function refuseOver(sql: Sql, { owner, limits, batch, items, bytes }: Taking): Promise<void> {
  const taken = await readTakings(sql, owner, limits);
  const refuse = (limit: LimitName, used: number | null, more: number, resetsAt: Date | null) => {
    const allowed = limits[limit];
    if (allowed === null || used === null || more === 0 || used + more <= allowed) return;
    throw new LimitExceeded({ limit, allowed, used, resetsAt }, more);
  };
  // Of a batch that is active already, one is its own.
  const isActive = batch !== null && (await isActiveBatch(sql, owner, batch));
  refuse('activeBatches', taken.batches, batch === null || isActive ? 0 : 1, null);
  // A day without any taken has no more room than that.
  const isWithinDay = items <= (limits.itemsPerDay ?? items);
  refuse('itemsPerDay', taken.items, items, isWithinDay ? taken.nextDay : null);
  refuse('storageBytes', taken.bytes, bytes, null);
}

async function isActiveBatch(sql: Sql, owner: string, batch: string): Promise<boolean> {
  const found =
    await sql`select from batches b where b.id = ${batch} and b.owner = ${owner} and ${isActive(sql)}`;
  return found.count > 0;
}

/** The batch, a row `b` of `batches`, is neither a DRAFT nor has it ended. */
function isActive(sql: Sql) {
  return sql`(b.status in ('QUEUED', 'PROCESSING', 'CANCELLING') and b.deleted_at is null)`;
}

/** Without `batch`, which may be among them. */
function countActive(sql: Sql, owner: string, batch: string | null) {
  return sql`(
    select count(*)::float8 from batches b
    where b.owner = ${owner} and ${isActive(sql)} and b.id is distinct from ${batch}::text)`;
}

function countToday(sql: Sql, owner: string) {
  return sql`coalesce((
    select items::float8 from takings where owner = ${owner} and day = ${today(sql)}), 0)`;
}

/** Bytes of all files, those included that are deleted, until they are purged. */
function countBytes(sql: Sql, owner: string) {
  return sql`(select coalesce(sum(size_bytes), 0)::float8 from files where owner = ${owner})`;
}

function today(sql: Sql) {
  return sql`(now() at time zone 'utc')::date`;
}
