/** Migrations through PgBouncer in transaction mode alone, where it is installed. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { migrateDatabase, readMigrationState } from '../../src/db/migrate.ts';
import { createTestDatabase } from '../support/database.ts';
import { startPooler } from '../support/pgbouncer.ts';

it('an index is built by one of those that start together', async ({ skip }) => {
  const database = await createTestDatabase();
  const pooler = await startPooler(database.url);
  if (!pooler) return skip('PgBouncer is not installed');
  const sql = postgres(database.url, { max: 1 });
  const folder = await mkdtemp(join(tmpdir(), 'winnow-migrations-'));
  try {
    await sql`create table crowd (a int)`;
    await mkdir(join(folder, 'meta'));
    const entries = [{ tag: '0100_index', when: 4_000_000_000_000 }];
    await writeFile(join(folder, 'meta', '_journal.json'), JSON.stringify({ entries }));
    await writeFile(
      join(folder, '0100_index.sql'),
      'create index concurrently "crowd_a" on "crowd" (a)',
    );
    const url = pooler.through(database.url);
    const applied: string[] = [];
    const start = () => migrateDatabase(url, { folder, onApplied: (name) => applied.push(name) });

    await Promise.all([start(), start(), start()]);

    expect(applied).toEqual(['0100_index']);
    expect((await readMigrationState(url, { folder })).missing).toEqual([]);
    // Nothing of it stays in a session of the pooler's.
    expect(
      await sql`
        select from pg_locks l join pg_database d on d.oid = l.database
        where locktype = 'advisory' and datname = current_database()`,
    ).toHaveLength(0);
  } finally {
    await sql.end();
    await pooler.stop();
    await database.drop();
    await rm(folder, { recursive: true });
  }
});
