/**
 * Uploads that are under way. Their rows come by COPY, the file by the statement that ends the
 * ingest; a process that dies between the two leaves rows without a file, which the janitor removes
 * once the lease has run out. Time is the database's alone.
 */
import { blankCharacters, withoutBlanks } from '../core/blank-characters.ts';
import type { Sql } from './driver/client.ts';

/**
 * How long the entry of a dead ingest is kept, in case its process was only asleep and its rows
 * come yet.
 */
const graceSeconds = 60 * 60;

/** Gives out the key of a file to come, with a lease on it. */
export async function beginIngest(sql: Sql, leaseMs: number): Promise<bigint> {
  const [begun] = await sql<{ key: bigint }[]>`
    insert into ingests (file_key, expires_at)
    values (nextval('files_key_seq'), now() + make_interval(secs => ${leaseMs / 1000}))
    returning file_key as key`;
  if (!begun) throw new Error('no ingest was begun');
  return begun.key;
}

/** Renews a lease that still runs. False when it ran out: the rows are being removed. */
export async function renewIngest(sql: Sql, fileKey: bigint, leaseMs: number): Promise<boolean> {
  const renewed = await sql`
    update ingests set expires_at = now() + make_interval(secs => ${leaseMs / 1000})
    where file_key = ${fileKey} and expires_at > now()`;
  return renewed.count === 1;
}

/** Ends a lease before its time, so that the rows are removed. */
export async function abandonIngest(sql: Sql, fileKey: bigint): Promise<void> {
  await sql`update ingests set expires_at = now() where file_key = ${fileKey} and expires_at > now()`;
}

/** Forgets an ingest that never had rows. */
export async function deleteIngest(sql: Sql, fileKey: bigint): Promise<void> {
  await sql`delete from ingests where file_key = ${fileKey}`;
}

/** The files to come whose uploads have died. */
export async function listDeadIngests(sql: Sql): Promise<bigint[]> {
  const dead = await sql<{ key: bigint }[]>`
    select file_key as key from ingests where expires_at <= now() order by file_key limit 100`;
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
 * How many rows before `index` and behind have a given custom id, up to two: two make a duplicate.
 */
export async function countCustomId(sql: Sql, fileKey: bigint, customId: string): Promise<number> {
  const [counted] = await sql<{ count: number }[]>`
    select count(*)::int as count from (
      select from rows where file_key = ${fileKey} and custom_id = ${customId} limit 2) as found`;
  return counted?.count ?? 0;
}

/**
 * How many rows have a custom id that is the given one but for white space around it, up to two.
 * Reads all rows of the file.
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
