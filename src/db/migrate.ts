/** The tables of this version: which migrations a database has, and those that it lacks. */
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { StartFailure } from '../core/errors.ts';
import { databaseFailureCode, ofDriver } from './driver/failure.ts';
import { type Migration, ownFolder, readMigrations } from './migration-files.ts';

/** An arbitrary number that only Winnow's migrations lock. */
const migrationLock = 7_460_031;
/** Another process migrates: it is asked again, because to wait would hold a snapshot. */
const turnPollMs = 100;
/**
 * A try of a migration may wait this long for locks on tables: what comes after it waits behind it.
 * Less than Postgres's `deadlock_timeout`, so that no other process is the one that gives way.
 */
const lockWaitMs = 500;
/** The rest of that is not much where the statements themselves take long. */
const minLockWaitMs = 20;
/** The driver waits without end for a connection that the server has cut. */
const closeTimeoutSeconds = 1;
/**
 * Between tries: what waited meanwhile goes first. Each try holds others up, so that each wait is
 * twice the one before it.
 */
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;
/** A build or another process's migration that takes longer is told of. */
const defaultPatienceMs = 5_000;

/** SQLSTATEs: of a database without migrations, of a role without rights, of a lock not got. */
const noTable = '42P01';
const denied = '42501';
const lockNotAvailable = '55P03';

type Client = postgres.Sql | postgres.TransactionSql;

/** A database's state: which migrations of this version it has. */
export interface MigrationState {
  /** Names of those that it lacks, in order. */
  missing: readonly string[];
  /** Number of its migrations that this version does not know: a newer one has been there. */
  unknown: number;
  /** When the newest that it has was made, in milliseconds since 1970; 0: it has none. */
  newest: number;
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
      newest: Math.max(0, ...applied),
    };
  });
}

/** True where this version has the migration that was made at `createdAt`, as databases keep it. */
export async function hasMigration(createdAt: number): Promise<boolean> {
  return (await readMigrations(ownFolder)).some((migration) => migration.createdAt === createdAt);
}

/** The reason why a start waits. */
export interface HoldUp {
  /** Null of the turn: another process may be at any of them. */
  migration: string | null;
  /** A table that others use, the build of an index, or the end of another process's migration. */
  by: 'table' | 'build' | 'turn';
}

/** Hears the name of a migration. */
type Listener = (migration: string) => void;

/**
 * Brings the database at `url` to the newest tables, or to those of the time `until`, in
 * milliseconds since 1970, beside processes that work on it; `onApplied` hears of each migration
 * that ran, `onHeldUp` of each wait, once: of builds and turns, where they take longer than
 * `patienceMs`. `pause` is how it waits between tries. Each is whole or not at all, and those
 * before one that fails stay. Processes that start together take turns. Throws StartFailure that
 * names a migration that fails.
 */
export async function migrateDatabase(
  url: string,
  {
    folder = ownFolder,
    name,
    until = Number.POSITIVE_INFINITY,
    onApplied = () => undefined,
    onHeldUp = () => undefined,
    pause = delay,
    patienceMs = defaultPatienceMs,
  }: {
    folder?: string;
    name?: string;
    until?: number;
    onApplied?: Listener;
    onHeldUp?: (wait: HoldUp) => void;
    patienceMs?: number;
    pause?: (ms: number) => Promise<unknown>;
  } = {},
): Promise<void> {
  const migrations = (await readMigrations(folder)).filter(({ createdAt }) => createdAt <= until);
  const told = new Set<string>();
  const tell = (wait: HoldUp): void => {
    const key = JSON.stringify(wait);
    if (!told.has(key)) onHeldUp(wait);
    told.add(key);
  };
  const onLongBuild = (migration: string) => tell({ migration, by: 'build' });
  let takenSince: number | null = null;
  let retryMs = firstRetryMs;
  await withClient(url, name, async (client) => {
    for (;;) {
      const turn = await client
        .begin((transaction) =>
          applyNext(transaction, { migrations, builder: client, patienceMs, onLongBuild }),
        )
        .catch(migrationHeldUp);
      if (turn === 'done') return;
      if (turn !== 'taken') takenSince = null;
      if (turn === 'taken') {
        takenSince ??= performance.now();
        if (performance.now() - takenSince > patienceMs) tell({ migration: null, by: 'turn' });
        await delay(turnPollMs);
      } else if (turn instanceof HeldUp) {
        tell({ migration: turn.migration, by: 'table' });
        await pause(retryMs);
        retryMs = Math.min(2 * retryMs, longestRetryMs);
      } else {
        retryMs = firstRetryMs;
        onApplied(turn.applied);
      }
    }
  });
}

/** A table of the migration is in use: to wait longer would hold others up. */
class HeldUp extends Error {
  readonly migration: string;
  constructor(migration: string) {
    super(`${migration} is held up`);
    this.migration = migration;
  }
}

function migrationHeldUp(error: unknown): HeldUp {
  if (error instanceof HeldUp) return error;
  throw error;
}

/**
 * Runs the first migration that is missing. The turn is a lock of this transaction, which a pooler
 * keeps too. An index is built through `builder`, by another connection.
 */
async function applyNext(
  transaction: postgres.TransactionSql,
  {
    migrations,
    builder,
    patienceMs,
    onLongBuild,
  }: {
    migrations: readonly Migration[];
    builder: postgres.Sql;
    patienceMs: number;
    onLongBuild: Listener;
  },
): Promise<{ applied: string } | 'done' | 'taken'> {
  const [lock] = await transaction`select pg_try_advisory_xact_lock(${migrationLock}) as taken`;
  if (!lock?.taken) return 'taken';
  await liftLimits(transaction, 'transaction');
  const [next] = await findMissing(transaction, migrations);
  if (!next) return 'done';
  const { name, hash, createdAt, index } = next;
  const patience = index ? setTimeout(onLongBuild, patienceMs, name) : undefined;
  try {
    if (index) await keepTurn(transaction, () => buildIndex(builder, next));
    else await runStatements(transaction, next);
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error;
    if (error.code === lockNotAvailable) throw new HeldUp(name);
    if (databaseFailureCode(error) !== null || error.code === denied) throw error;
    throw new StartFailure(
      `The migration ${name} failed, and those before it are in: ${error.message}`,
      { cause: error },
    );
  } finally {
    clearTimeout(patience);
  }
  await transaction`
    insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${createdAt})`;
  return { applied: name };
}

/** Those that are set, of those that the version of Postgres has. */
async function liftLimits(client: Client, of: 'transaction' | 'session'): Promise<void> {
  await client`
    select set_config(name, '0', ${of === 'transaction'}) from pg_settings
    where name in ('statement_timeout', 'transaction_timeout') and setting <> '0'`;
}

async function runStatements(
  transaction: postgres.TransactionSql,
  { statements }: Migration,
): Promise<void> {
  const endsAt = performance.now() + lockWaitMs;
  for (const statement of statements) {
    const leftMs = Math.max(minLockWaitMs, Math.round(endsAt - performance.now()));
    await transaction.unsafe(`set local lock_timeout = ${leftMs}`);
    await transaction.unsafe(statement);
  }
}

/**
 * Holds the turn's transaction open, idle and without a snapshot, which the build of an index would
 * wait for: this statement takes none, and closes the one before it.
 */
async function keepTurn(
  transaction: postgres.TransactionSql,
  work: () => Promise<void>,
): Promise<void> {
  await transaction`set local idle_in_transaction_session_timeout = 0`;
  await work();
}

/** Leaves the index alone where it is built, by a start that did not live to enter it. */
async function buildIndex(builder: postgres.Sql, { index, statements }: Migration): Promise<void> {
  if (!index) return;
  if ((await readIndex(builder, index.name)) === 'unfinished') {
    // Postgres goes on with the build of a process that has gone, and holds this lock until then.
    // Who waits for the lock may have a snapshot, which the build waits for.
    await builder.begin((transaction) =>
      transaction.unsafe(`lock table "${index.table}" in share update exclusive mode nowait`),
    );
  }
  const state = await readIndex(builder, index.name);
  if (state === 'built') return;
  await liftLimits(builder, 'session');
  if (state === 'unfinished') await builder.unsafe(`drop index concurrently "${index.name}"`);
  for (const statement of statements) await builder.unsafe(statement);
}

async function readIndex(client: Client, name: string): Promise<'built' | 'unfinished' | 'none'> {
  const [index] = await client`
    select indisvalid as valid from pg_index where indexrelid = to_regclass(${`"${name}"`})`;
  if (!index) return 'none';
  return index.valid ? 'built' : 'unfinished';
}

/**
 * The missing migrations, read under the lock. Makes the table of migrations where the database has
 * none.
 */
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

/** Two connections, and nothing prepared, so that a pooler between may change the server's. */
async function withClient<Result>(
  url: string,
  name: string | undefined,
  work: (client: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const client = postgres(url, {
    max: 2,
    prepare: false,
    fetch_types: false,
    onnotice: () => undefined,
    connection: { application_name: name ?? 'winnow' },
  });
  try {
    return await work(client);
  } catch (error) {
    throw ofDriver(error);
  } finally {
    await client.end({ timeout: closeTimeoutSeconds });
  }
}
