import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';

/** The same place seen from src/db and from dist/db. */
const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** An arbitrary number that only Winnow's migrations lock. */
const migrationLock = 7_460_031;

/** Brings the database at `url` to the newest tables. Processes that start together take turns. */
export async function migrateDatabase(url: string): Promise<void> {
  // One connection, so that the advisory lock and the migrations are in one session.
  const client = postgres(url, { max: 1, fetch_types: false, onnotice: () => undefined });
  try {
    await client`select pg_advisory_lock(${migrationLock})`;
    await migrate(drizzle(client), { migrationsFolder });
  } finally {
    // Ending the session gives the lock back.
    await client.end();
  }
}
