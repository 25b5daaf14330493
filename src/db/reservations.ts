/** The expected cost of calls outside of batches, while they are under way. */
import type { Sql } from './driver/client.ts';
import { limitOf, type OwnerLimits, type OwnerStanding, ownerMoney } from './owner-limits.ts';

/** A process that tells nothing for such a time is dead, and holds nothing. */
const heldFor = '10 minutes';

/** Number of times that the money of an owner was reckoned, as a statement sees it. */
export function gateSeen(sql: Sql, owner: ReturnType<Sql>): ReturnType<Sql> {
  return sql`coalesce((
    select r.reckoned from reservations r where r.owner = ${owner} and r.process = ''), 0)`;
}

/** Locks the gate of the owner of the one row of `from`, behind the lock of that. */
export function enterGate(sql: Sql, from: ReturnType<Sql>): ReturnType<Sql> {
  return sql`
    insert into reservations (owner, process, reckoned)
    select owner, '', 1 from ${from}
    on conflict (owner, process) do update set reckoned = reservations.reckoned + 1
    returning reckoned`;
}

/** A process's request for room. */
interface Reservation {
  owner: string;
  /** Its name among all processes. */
  process: string;
  usd: number;
}

/**
 * Sets so much aside of what an owner may spend in this month, if that is left. Null where the
 * owner has no limit. `isFresh` false: somebody else reckoned meanwhile, and the next try tells.
 */
export async function reserve(
  sql: Sql,
  limits: OwnerLimits,
  { owner, process, usd }: Reservation,
): Promise<(OwnerStanding & { isReserved: boolean; isFresh: boolean }) | null> {
  const limitUsd = limitOf(limits, owner);
  if (limitUsd === null) return null;
  const [reserved] = await sql<
    (Omit<OwnerStanding, 'limitUsd'> & { isReserved: boolean; isFresh: boolean })[]
  >`
    with seen as materialized (select ${gateSeen(sql, sql`${owner}`)} as reckoned),
    gate as (${enterGate(sql, sql`(select ${owner}::text as owner) w`)}),
    money as materialized (
      select o.*, seen.reckoned + 1 = (select reckoned from gate) as is_fresh
      from seen cross join (${ownerMoney(sql, sql`${owner}`)}) o
    ),
    held as (
      insert into reservations (owner, process, held_usd, expires_at)
      select ${owner}, ${process}, ${usd}, now() + ${heldFor}::interval from money
      where is_fresh and spent_usd + held_usd + ${usd} <= ${limitUsd}
      on conflict (owner, process)
        do update set held_usd = reservations.held_usd + excluded.held_usd, expires_at = excluded.expires_at
      returning 1
    )
    select spent_usd as "spentUsd", held_usd as "heldUsd", month, is_fresh as "isFresh",
           exists (select from held) as "isReserved"
    from money`;
  return reserved ? { limitUsd, ...reserved } : null;
}

/** Gives back what was set aside. */
export async function endReservation(
  sql: Sql,
  { owner, process, usd }: Reservation,
): Promise<void> {
  await sql`
    update reservations
    set held_usd = greatest(0, held_usd - ${usd}), expires_at = now() + ${heldFor}::interval
    where owner = ${owner} and process = ${process}`;
}

/** Forgets what processes of before held. */
export async function deleteDeadReservations(sql: Sql): Promise<void> {
  await sql`delete from reservations where process <> '' and expires_at < now()`;
}
