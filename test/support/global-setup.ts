import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { databaseHome } from './database-home.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /**
     * The superuser's URL of the one Postgres of this run; `createTestDatabase` makes databases on
     * it.
     */
    postgresUrl: string;
  }
}

/** One Postgres for the whole run, with a migrated template that each test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(databaseHome(), 'winnow-test-'));
  // Started by root, Postgres runs as another user, who must be able to enter.
  await chmod(directory, 0o755);
  const removeDirectory = (): Promise<void> => rm(directory, { recursive: true, force: true });

  const { url, stop } = await startEmbeddedPostgres({ directory, durable: false }).catch(
    async (error: unknown) => {
      await removeDirectory();
      throw error;
    },
  );
  const teardown = async (): Promise<void> => {
    await stop();
    await removeDirectory();
  };
  try {
    await createTemplate(url);
  } catch (error) {
    await teardown();
    throw error;
  }
  project.provide('postgresUrl', url);
  return teardown;
}

async function createTemplate(url: string): Promise<void> {
  const sql = postgres(url, { max: 1 });
  await sql`create database winnow_template`.finally(() => sql.end());
  const template = new URL(url);
  template.pathname = '/winnow_template';
  await migrateDatabase(template.href);
}
