/** The tables of this version: which migrations a database has, and those that it lacks. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { StartFailure } from '../core/errors.ts';
import { databaseFailureCode } from './driver/failure.ts';

/** The same place seen from src/db and from dist/db. */
const ownFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** An arbitrary number that only Winnow's migrations lock. */
const migrationLock = 7_460_031;
/** Another process migrates: it is asked again, because to wait would hold a snapshot. */
const lockPollMs = 100;

/** SQLSTATEs: undefined_table, of a database without migrations; insufficient_privilege. */
const noTable = '42P01';
const denied = '42501';

type Client = postgres.Sql | postgres.TransactionSql;

/** One file of the folder. */
interface Migration {
  name: string;
  /** Milliseconds since 1970, as the journal has them: the order, and what the database keeps. */
  createdAt: number;
  /** Of the file, as Drizzle's own migrator keeps it. */
  hash: string;
  statements: readonly string[];
  /** Builds an index `concurrently`, which Postgres does in no transaction. */
  isApart: boolean;
}

/** What a database has of the migrations of this version. */
export interface MigrationState {
  /** Names of those that it lacks, in order. */
  missing: readonly string[];
  /** How many it has that this version does not know: a newer one has been there. */
  unknown: number;
}

/** Needs no right but to select from the table of migrations, and takes no lock. */
export async function readMigrationState(
  url: string,
  { folder = ownFolder, name }: { folder?: string; name?: string } = {},
): Promise<MigrationState> {
  const migrations = await readMigrations(folder);
  return await withClient(url, name, async (client) => {
    const applied = await readApplied(client);
    const newest = migrations.at(-1)?.createdAt ?? 0;
    return {
      missing: lackingIn(applied, migrations).map((migration) => migration.name),
      unknown: applied.filter((createdAt) => createdAt > newest).length,
    };
  });
}

/**
 * Brings the database at `url` to the newest tables; `onApplied` hears the name of each migration
 * that ran. Each is whole or not at all, and those before one that fails stay. Processes that start
 * together take turns. Throws StartFailure that names a migration that fails.
 */
export async function migrateDatabase(
  url: string,
  {
    folder = ownFolder,
    name,
    onApplied = () => undefined,
  }: { folder?: string; name?: string; onApplied?: (migration: string) => void } = {},
): Promise<void> {
  const migrations = await readMigrations(folder);
  await withClient(url, name, async (client) => {
    for (;;) {
      const next = await client.begin((transaction) => applyNext(transaction, migrations));
      if (next === 'none') return;
      if (next === 'busy') await delay(lockPollMs);
      else if (next.isApart) await applyApart(client, next, { migrations, onApplied });
      else onApplied(next.name);
    }
  });
}

/**
 * Runs the first migration that is missing, under a lock that ends with the transaction; but one
 * that must run apart is only found.
 */
async function applyNext(
  client: postgres.TransactionSql,
  migrations: readonly Migration[],
): Promise<Migration | 'none' | 'busy'> {
  const [lock] = await client`select pg_try_advisory_xact_lock(${migrationLock}) as taken`;
  if (!lock?.taken) return 'busy';
  const [next] = await findMissing(client, migrations);
  if (next && !next.isApart) {
    await client`set local statement_timeout = 0`;
    await apply(client, next);
  }
  return next ?? 'none';
}

/** Runs it in no transaction, under a lock of the session, which a later start is asked for. */
async function applyApart(
  client: postgres.Sql,
  migration: Migration,
  {
    migrations,
    onApplied,
  }: { migrations: readonly Migration[]; onApplied: (migration: string) => void },
): Promise<void> {
  const [lock] = await client`select pg_try_advisory_lock(${migrationLock}) as taken`;
  if (!lock?.taken) return await delay(lockPollMs);
  try {
    const [next] = await findMissing(client, migrations);
    if (next?.name !== migration.name) return;
    await client`set statement_timeout = 0`;
    await apply(client, next);
    onApplied(next.name);
  } finally {
    await client`select pg_advisory_unlock(${migrationLock})`;
  }
}

async function apply(client: Client, { name, hash, createdAt, statements }: Migration) {
  try {
    for (const statement of statements) await client.unsafe(statement);
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error;
    if (databaseFailureCode(error) !== null || error.code === denied) throw error;
    throw new StartFailure(
      `The migration ${name} failed, and those before it are in: ${error.message}`,
      { cause: error },
    );
  }
  await client`
    insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${createdAt})`;
}

/** What is missing, under the lock. Makes the table of migrations where the database has none. */
async function findMissing(
  client: Client,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  // Apart, because a role without CREATE may not even say "if not exists".
  const [schema] = await client`select to_regnamespace('drizzle') is not null as there`;
  if (!schema?.there) await client`create schema drizzle`;
  const [table] =
    await client`select to_regclass('drizzle.__drizzle_migrations') is not null as there`;
  if (!table?.there) {
    await client`
      create table drizzle.__drizzle_migrations (
        id serial primary key, hash text not null, created_at bigint)`;
  }
  return lackingIn(await selectApplied(client), migrations);
}

/** As Drizzle's own migrator has it: what is newer than the newest that is in. */
function lackingIn(applied: readonly number[], migrations: readonly Migration[]) {
  const newest = Math.max(0, ...applied);
  return migrations.filter(({ createdAt }) => createdAt > newest);
}

async function readApplied(client: Client): Promise<number[]> {
  try {
    return await selectApplied(client);
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === noTable) return [];
    throw error;
  }
}

async function selectApplied(client: Client): Promise<number[]> {
  const rows = await client<{ at: string }[]>`
    select created_at::text as at from drizzle.__drizzle_migrations`;
  return rows.map(({ at }) => Number(at));
}

/** One connection, and nothing prepared, so that a pooler between may change the server's. */
async function withClient<Result>(
  url: string,
  name: string | undefined,
  work: (client: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const client = postgres(url, {
    max: 1,
    prepare: false,
    fetch_types: false,
    onnotice: () => undefined,
    connection: { application_name: name ?? 'winnow' },
  });
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const journal = JSON.parse(await readFile(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: readonly { tag: string; when: number }[];
  };
  return await Promise.all(
    journal.entries.map(async ({ tag, when }) => {
      const text = await readFile(join(folder, `${tag}.sql`), 'utf8');
      return {
        name: tag,
        createdAt: when,
        hash: createHash('sha256').update(text).digest('hex'),
        statements: text.split('--> statement-breakpoint'),
        isApart: /\bconcurrently\b/i.test(text),
      };
    }),
  );
}
