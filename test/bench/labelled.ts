import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/db/driver/client.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { insertLabelled } from '../support/labelled-batch.ts';

/** A Postgres of its own with a labelled batch, and a folder, for the time of the use. */
export async function withLabelled<Result>(
  items: number,
  use: (given: { url: string; id: string; directory: string }) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  const db = openDatabase(postgres.url);
  try {
    await migrateDatabase(postgres.url);
    const { id } = await insertLabelled(db.sql, items);
    await db.sql`vacuum rows, results`;
    return await use({ url: postgres.url, id, directory });
  } finally {
    await db.close();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
