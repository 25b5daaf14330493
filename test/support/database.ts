import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, inject } from 'vitest';
import { type Database, openDatabase } from '../../src/db/driver/client.ts';
import { until } from './until.ts';

/**
 * https://www.postgresql.org/docs/current/errcodes-appendix.html: somebody else is cloning the
 * template just now.
 */
const OBJECT_IN_USE = '55006';

export interface TestDatabase {
  url: string;
  /** Cuts off whoever is still connected. */
  drop(): Promise<void>;
}

/** A migrated, empty database for one test file, and a pool on it: both go when the file ends. */
export async function openTestDatabase(
  options?: Parameters<typeof openDatabase>[1],
): Promise<{ db: Database; url: string }> {
  const { url, drop } = await createTestDatabase();
  const db = openDatabase(url, options);
  afterAll(async () => {
    await db.close();
    await drop();
  });
  return { db, url };
}

/** The same without a pool: make it in beforeAll, drop it in afterAll. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await until(() => cloneTemplate(name), { deadlineMs: 15_000, what: 'a clone of the template' });
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: async () => {
      await withServer((sql) => sql`drop database ${sql(name)} with (force)`);
    },
  };
}

/** False when the template is in use. */
async function cloneTemplate(name: string): Promise<boolean> {
  try {
    // Copying files takes a tenth of the time of the default, which writes every page to the log.
    await withServer(
      (sql) => sql`create database ${sql(name)} template winnow_template strategy file_copy`,
    );
    return true;
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === OBJECT_IN_USE) return false;
    throw error;
  }
}

async function withServer(work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(inject('postgresUrl'), { max: 1 });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}
