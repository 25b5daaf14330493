/** Which database this is, so that a copy of it is known for one. */
import type { Database, Sql } from './driver/client.ts';
import { readOrMakeSetting, readSetting, writeSetting } from './settings.ts';

const setting = 'database_identity';
/** SQLSTATE insufficient_privilege: what a hosted Postgres may keep to itself. */
const denied = '42501';

/** Cluster and database, as they are; null where the role may not ask. */
async function readIdentity(sql: Sql): Promise<string | null> {
  try {
    const [found] = await sql<{ identity: string }[]>`
      select system_identifier || '/' || (
        select oid from pg_database where datname = current_database()) as identity
      from pg_control_system()`;
    return found?.identity ?? null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === denied) return null;
    throw error;
  }
}

/** False in a copy: what is kept is another database's. A new one keeps its own. */
export async function isOwnDatabase(db: Pick<Database, 'sql' | 'query'>): Promise<boolean> {
  const identity = await readIdentity(db.sql);
  return identity === null || (await readOrMakeSetting(db, setting, () => identity)) === identity;
}

/** Makes a copy a database of its own. False where it was one. */
export async function adoptDatabase(db: Pick<Database, 'sql' | 'query'>): Promise<boolean> {
  const identity = await readIdentity(db.sql);
  if (identity === null || (await readSetting(db, setting)) === identity) return false;
  await writeSetting(db, setting, identity);
  return true;
}
