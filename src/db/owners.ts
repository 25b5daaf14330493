/** Owners as the operator sees them: what each has, and how it is erased. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import type { HiddenBatch } from './deletions.ts';
import type { Builder, Sql } from './driver/client.ts';
import { files, reservations, spending, takings } from './tables.ts';
import { takeOutWebhooks } from './webhooks.ts';

/** Sums of all that an owner has. */
export interface OwnerSums {
  owner: string;
  batches: number;
  /** Uploaded ones. */
  files: number;
  /** Bytes of these and of items given inline. */
  bytes: number;
  /** The last upload, submit, start or end of a batch, or use of a key. Null: none is known. */
  lastUsedAt: Date | null;
}

/** Batches that one statement erases. */
export const erasedAtOnce = 500;

/** Owners with something that is not deleted, or a key, or sums of spending; by name. */
export async function listOwners(sql: Sql): Promise<OwnerSums[]> {
  return await sql<OwnerSums[]>`
    with held as (
      select owner, 1 as batches, 0 as files, 0::bigint as bytes,
             greatest(created_at, started_at, completed_at) as used_at
      from batches where deleted_at is null
      union all
      select owner, 0, listed::int, size_bytes, created_at from files where deleted_at is null
      union all
      select owner, 0, 0, 0, last_used_at from api_keys where revoked_at is null
      union all
      select owner, 0, 0, 0, null from spending where owner !~ '^erased-[0-9a-f]{16}$'
    )
    select owner, sum(batches)::int as batches, sum(files)::int as files,
           sum(bytes)::float8 as bytes, max(used_at) as "lastUsedAt"
    from held group by owner order by owner`;
}

/**
 * Deletes batches of an owner, `erasedAtOnce` at most, and their webhooks. What they ask for
 * stays until the purge: a job at a provider may still need it. Returns those that were not deleted
 * before, and how many there were in all.
 */
export async function eraseBatches(
  sql: Sql,
  { owner, erasedAs }: { owner: string; erasedAs: string },
): Promise<{ found: number; hidden: HiddenBatch[] }> {
  const rows = await sql<(HiddenBatch & { isNew: boolean })[]>`
    with found as materialized (
      select key, deleted_at is null as is_new from batches
      where owner = ${owner} order by key limit ${erasedAtOnce} for update
    ),
    ${takeOutWebhooks(sql, sql`batch_key in (select key from found)`)},
    messages as (delete from batch_errors where batch_key in (select key from found))
    update batches b
    set owner = ${erasedAs}, deleted_at = coalesce(deleted_at, now()), idempotency_key = null,
        name = null, metadata = null, webhook_url = null
    from found where b.key = found.key
    returning b.key, b.id, ${owner}::text as owner, found.is_new as "isNew"`;
  return { found: rows.length, hidden: rows.filter(({ isNew }) => isNew) };
}

/** Deletes the files of an owner, and forgets their names. Returns how many were there for it. */
export async function eraseFiles(
  { query }: Builder,
  { owner, erasedAs }: { owner: string; erasedAs: string },
): Promise<number> {
  const there = await query
    .update(files)
    .set({ deletedAt: sql`now()` })
    .where(and(eq(files.owner, owner), isNull(files.deletedAt)))
    .returning({ listed: files.listed });
  await query.update(files).set({ owner: erasedAs, name: 'erased' }).where(eq(files.owner, owner));
  return there.filter(({ listed }) => listed).length;
}

/**
 * Revokes the keys of an owner, and forgets their names: a revoked key keeps a server closed.
 * Returns the ids of those that were good until now.
 */
export async function eraseKeys(
  sql: Sql,
  { owner, erasedAs }: { owner: string; erasedAs: string },
): Promise<string[]> {
  const keys = await sql<{ id: string; wasGood: boolean }[]>`
    with found as materialized (
      select id, revoked_at is null as was_good from api_keys where owner = ${owner} for update
    )
    update api_keys k
    set owner = ${erasedAs}, name = 'erased', revoked_at = coalesce(k.revoked_at, now())
    from found where k.id = found.id
    returning k.id, found.was_good as "wasGood"`;
  return keys.filter(({ wasGood }) => wasGood).map(({ id }) => id);
}

/**
 * Gives what was spent another name, and forgets what was taken of limits. Returns how many sums
 * there are.
 */
export async function eraseSpending(
  { query }: Builder,
  { owner, erasedAs }: { owner: string; erasedAs: string },
): Promise<number> {
  await query.delete(reservations).where(eq(reservations.owner, owner));
  await query.delete(takings).where(eq(takings.owner, owner));
  const renamed = await query
    .update(spending)
    .set({ owner: erasedAs })
    .where(eq(spending.owner, owner))
    .returning({ month: spending.month });
  return renamed.length;
}

/** Deleted batches and files that go by a name. */
export async function listErased(
  sql: Sql,
  erasedAs: string,
): Promise<{ batches: bigint[]; files: bigint[] }> {
  const keys = await sql<{ key: bigint; isBatch: boolean }[]>`
    select key, true as "isBatch" from batches where owner = ${erasedAs}
    union all
    select key, false from files where owner = ${erasedAs}`;
  const of = (wanted: boolean) =>
    keys.filter(({ isBatch }) => isBatch === wanted).map(({ key }) => key);
  return { batches: of(true), files: of(false) };
}
