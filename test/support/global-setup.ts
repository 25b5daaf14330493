import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { databaseHome } from './database-home.ts';
import { startInstalledPostgres } from './installed-postgres.ts';
import { startPooler } from './pgbouncer.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /**
     * The superuser's URL of the one Postgres of this run; `createTestDatabase` makes databases on
     * it.
     */
    postgresUrl: string;
    /** The same through PgBouncer, where THROUGH_POOLER asks for it. */
    poolerUrl: string | null;
  }
}

/** Of a run's folder; the pid of the run follows. */
const prefix = 'winnow-test-';

/**
 * One Postgres for the whole run, with a migrated template that each test file clones: the embedded
 * one, or that of the programs in POSTGRES_BIN.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = databaseHome();
  await removeLeftovers(home);
  const directory = await mkdtemp(join(home, `${prefix}${process.pid}-`));
  // Started by root, Postgres runs as another user, who must be able to enter.
  await chmod(directory, 0o755);
  const removeDirectory = (): Promise<void> => rm(directory, { recursive: true, force: true });

  const bin = process.env.POSTGRES_BIN;
  const starting = bin
    ? startInstalledPostgres(bin, directory)
    : startEmbeddedPostgres({ directory, durable: false });
  const { url, stop } = await starting.catch(async (error: unknown) => {
    await removeDirectory();
    throw error;
  });
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
  const pooler = process.env.THROUGH_POOLER ? await startPooler(url) : null;
  if (process.env.THROUGH_POOLER && !pooler) throw new Error('PgBouncer must be installed');
  project.provide('poolerUrl', pooler?.through(url) ?? null);
  return async () => {
    await pooler?.stop();
    await teardown();
  };
}

/** A run that was killed has left its folder, which takes memory where the home is there. */
async function removeLeftovers(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1]);
    if (pid && !isAlive(pid)) await rm(join(home, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function createTemplate(url: string): Promise<void> {
  const sql = postgres(url, { max: 1 });
  await sql`create database winnow_template`.finally(() => sql.end());
  const template = new URL(url);
  template.pathname = '/winnow_template';
  await migrateDatabase(template.href);
}
