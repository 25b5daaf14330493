/**
 * Uploads that are under way. Their rows come by COPY, the file by the statement that ends the
 * ingest; a process that dies between the two leaves rows without a file, which the janitor removes
 * once the lease has run out. Time is the database's alone.
 */
import { and, eq, gt, lte, type SQL, sql } from 'drizzle-orm';
import { blankCharacters, withoutBlanks } from '../core/blank-characters.ts';
import { after } from './clock.ts';
import type { Builder, Sql } from './driver/client.ts';
import { ingests } from './tables.ts';

/** Time that a dead ingest's entry is kept: its process may be asleep, and its rows come yet. */
const graceSeconds = 60 * 60;

/** Gives out the key of a file to come, with a lease on it. */
export async function beginIngest({ query }: Builder, leaseMs: number): Promise<bigint> {
  const [begun] = await query
    .insert(ingests)
    .values({ fileKey: sql`nextval('files_key_seq')`, expiresAt: after(leaseMs) })
    .returning({ key: ingests.fileKey });
  if (!begun) throw new Error('no ingest was begun');
  return begun.key;
}

/** Renews a lease that still runs. False when it ran out: the rows are being removed. */
export async function renewIngest(db: Builder, fileKey: bigint, leaseMs: number): Promise<boolean> {
  return await setExpiry(db, fileKey, after(leaseMs));
}

/**
 * Ends a lease before its time, so that the rows are removed. False where no lease runs: it ran
 * out, or the file was entered.
 */
export async function abandonIngest(db: Builder, fileKey: bigint): Promise<boolean> {
  return await setExpiry(db, fileKey, after(0));
}

/** False where the lease had run out. */
async function setExpiry({ query }: Builder, fileKey: bigint, expiresAt: SQL): Promise<boolean> {
  const changed = await query
    .update(ingests)
    .set({ expiresAt })
    .where(and(eq(ingests.fileKey, fileKey), gt(ingests.expiresAt, sql`now()`)))
    .returning({ key: ingests.fileKey });
  return changed.length === 1;
}

/** Forgets an ingest that never had rows. */
export async function deleteIngest({ query }: Builder, fileKey: bigint): Promise<void> {
  await query.delete(ingests).where(eq(ingests.fileKey, fileKey));
}

/** The files to come whose uploads have died. */
export async function listDeadIngests({ query }: Builder): Promise<bigint[]> {
  const dead = await query
    .select({ key: ingests.fileKey })
    .from(ingests)
    .where(lte(ingests.expiresAt, sql`now()`))
    .orderBy(ingests.fileKey)
    .limit(100);
  return dead.map(({ key }) => key);
}

/** Forgets dead ingests after their grace. Their rows must have been removed. */
export async function deleteDeadIngests(sql: Sql): Promise<void> {
  await sql`
    delete from ingests i
    where expires_at <= now() - make_interval(secs => ${graceSeconds})
      and not exists (select from rows where file_key = i.file_key)`;
}

/**
 * Number of rows before `index` and behind, up to two, that have a custom id: two are a duplicate.
 */
export async function countCustomId(sql: Sql, fileKey: bigint, customId: string): Promise<number> {
  const [counted] = await sql<{ count: number }[]>`
    select count(*)::int as count from (
      select from rows where file_key = ${fileKey} and custom_id = ${customId} limit 2) as found`;
  return counted?.count ?? 0;
}

/**
 * Number of rows whose custom id is the given one but for white space around it, up to two. Reads
 * all rows of the file.
 */
export async function countCustomIdsAlike(
  sql: Sql,
  fileKey: bigint,
  customId: string,
): Promise<number> {
  const [counted] = await sql<{ count: number }[]>`
    select count(*)::int as count from (
      select from rows
      where file_key = ${fileKey} and custom_id is not null and btrim(custom_id, ${blankCharacters}) = ${withoutBlanks(customId)}
      limit 2) as found`;
  return counted?.count ?? 0;
}
