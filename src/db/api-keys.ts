/**
 * Keys of owners. A row is written once, then used, and perhaps revoked; it is deleted a month
 * after its key has ended, but for the newest row of all. Processes keep a copy of the table, and
 * ask for what has changed.
 */
import { and, count, desc, eq, gt, inArray, isNull, ne, or, sql } from 'drizzle-orm';
import { type Scope, scopeNames } from '../core/scopes.ts';
import type { Builder } from './driver/client.ts';
import { apiKeys } from './tables.ts';

/** A key as everybody may see it who may see that it is there. */
export interface ApiKeyRecord {
  id: string;
  owner: string;
  name: string;
  scopes: readonly Scope[];
  createdAt: Date;
  lastUsedAt: Date | null;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

/** The same with what proves that somebody has it. */
export interface KeptKey extends ApiKeyRecord {
  hash: string;
}

/** Entries of a list of keys. */
export const maxListedKeys = 1_000;
/**
 * Days that keys stay after their end: as long as a client may still be told why its key is
 * refused.
 */
export const endedKeyDays = 30;
/** A key that is used all the time is written so often. */
const usedEverySeconds = 60;

/** Null where the id is taken: make another. */
export async function insertApiKey(
  { query }: Builder,
  key: Pick<KeptKey, 'id' | 'owner' | 'name' | 'hash' | 'scopes' | 'expiresAt'>,
): Promise<ApiKeyRecord | null> {
  const [row] = await query
    .insert(apiKeys)
    .values({ ...key, scopes: key.scopes.join() })
    .onConflictDoNothing()
    .returning();
  return row ? toRecord(row) : null;
}

const hasEnded = sql`(${apiKeys.revokedAt} is not null or coalesce(${apiKeys.expiresAt} <= now(), false))`;

/** Those that have not ended first, then the newest; of one owner, or of all where it is null. */
export async function listApiKeys(
  { query }: Builder,
  owner: string | null,
): Promise<ApiKeyRecord[]> {
  const rows = await query
    .select()
    .from(apiKeys)
    .where(owner === null ? undefined : eq(apiKeys.owner, owner))
    .orderBy(hasEnded, desc(apiKeys.createdAt), apiKeys.id)
    .limit(maxListedKeys);
  return rows.map(toRecord);
}

/** Keys of an owner: those that are neither revoked nor expired, and all that are kept. */
export async function countKeysOf(
  { query }: Builder,
  owner: string,
): Promise<{ live: number; kept: number }> {
  const [row] = await query
    .select({ kept: count(), live: sql<string>`count(*) filter (where not ${hasEnded})` })
    .from(apiKeys)
    .where(eq(apiKeys.owner, owner));
  return { live: Number(row?.live ?? 0), kept: row?.kept ?? 0 };
}

/**
 * Deletes the keys that ended before that, and returns how many. The newest row of all stays: no
 * server is ever opened by it, whatever other processes delete at the same time.
 */
export async function deleteEndedKeys({ query }: Builder): Promise<number> {
  const newest = query
    .select({ id: apiKeys.id })
    .from(apiKeys)
    .orderBy(desc(apiKeys.createdAt), desc(apiKeys.id))
    .limit(1);
  const endedAt = sql`least(${apiKeys.revokedAt}, ${apiKeys.expiresAt})`;
  const deleted = await query
    .delete(apiKeys)
    .where(
      and(
        sql`${endedAt} < now() - make_interval(days => ${endedKeyDays})`,
        ne(apiKeys.id, sql`(${newest})`),
      ),
    )
    .returning({ id: apiKeys.id });
  return deleted.length;
}

/** Keys of all owners, also those that serve no longer. */
export async function countApiKeys({ query }: Builder): Promise<number> {
  const [row] = await query.select({ keys: count() }).from(apiKeys);
  return row?.keys ?? 0;
}

/** Keys that were made or revoked after an instant; all where it is null. */
export async function readChangedKeys({ query }: Builder, since: Date | null): Promise<KeptKey[]> {
  const rows = await query
    .select()
    .from(apiKeys)
    .where(
      since === null ? undefined : or(gt(apiKeys.createdAt, since), gt(apiKeys.revokedAt, since)),
    );
  return rows.map(toKept);
}

export async function readApiKey({ query }: Builder, id: string): Promise<KeptKey | null> {
  const [row] = await query.select().from(apiKeys).where(eq(apiKeys.id, id));
  return row ? toKept(row) : null;
}

/** The key as it is then, also one that was revoked before; null for an unknown one. */
export async function revokeApiKey(
  { query }: Builder,
  id: string,
  owner: string | null,
): Promise<ApiKeyRecord | null> {
  const [row] = await query
    .update(apiKeys)
    .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, now())` })
    .where(and(eq(apiKeys.id, id), owner === null ? undefined : eq(apiKeys.owner, owner)))
    .returning();
  return row ? toRecord(row) : null;
}

/** Writes that keys were used, where that is not known to the minute. */
export async function noteKeysUsed({ query }: Builder, ids: readonly string[]): Promise<void> {
  const isOld = or(
    isNull(apiKeys.lastUsedAt),
    sql`${apiKeys.lastUsedAt} < now() - make_interval(secs => ${usedEverySeconds})`,
  );
  await query
    .update(apiKeys)
    .set({ lastUsedAt: sql`now()` })
    .where(and(inArray(apiKeys.id, [...ids]), isOld));
}

type Row = typeof apiKeys.$inferSelect;

function toKept({ scopes, ...row }: Row): KeptKey {
  const held = scopes.split(',');
  // A scope of a later version is unknown here, and gives no right.
  return { ...row, scopes: scopeNames.filter((name) => held.includes(name)) };
}

function toRecord(row: Row): ApiKeyRecord {
  const { hash: _, ...record } = toKept(row);
  return record;
}
