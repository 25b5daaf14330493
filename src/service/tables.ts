/** The tables of this version, brought to the database at the start where that is allowed. */
import type { Config } from '../config.ts';
import { StartFailure } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { placeOf, startFailureOf } from '../db/driver/await-database.ts';
import { type HoldUp, migrateDatabase, readMigrationState } from '../db/migrate.ts';
import { type Data, openData, type WaitOptions } from './data.ts';
import { createEnding } from './ending.ts';

/**
 * Runs the migrations that are missing; where none is, only reads which are there. Throws
 * StartFailure where one is missing and may not run.
 */
export async function bringTables(
  { directUrl, access }: Pick<Data, 'directUrl' | 'access'>,
  { migrate, log }: Pick<Config, 'migrate'> & { log: Log },
): Promise<void> {
  const { missing, unknown } = await readMigrationState(directUrl, access);
  if (unknown > 0) {
    log.warn(
      { unknown },
      'the database has migrations that this version does not know: a newer version has been started on it',
    );
  }
  const [first] = missing;
  if (first === undefined) return;
  if (migrate === 'off') {
    const others = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
    throw new StartFailure(
      `The database at ${placeOf(directUrl)} lacks the migration ${first}${others}; start once with MIGRATE=only as its owner, or set MIGRATE=auto`,
    );
  }
  await migrateDatabase(directUrl, { ...access, onHeldUp: warnOf(log) });
}

/**
 * For MIGRATE=only: migrates the database and closes it again. `onApplied` hears the name of each
 * migration that ran. Throws StartFailure as a start does.
 */
export async function migrateOnly(
  config: Config,
  { onApplied, ...wait }: WaitOptions & { log: Log; onApplied: (migration: string) => void },
): Promise<void> {
  const ending = createEnding(wait.log);
  let { databaseUrl } = config;
  try {
    const { directUrl, access } = await openData(config, ending, wait);
    databaseUrl = directUrl;
    await migrateDatabase(directUrl, { ...access, onApplied, onHeldUp: warnOf(wait.log) });
  } catch (error) {
    throw (databaseUrl === null ? null : startFailureOf(error, databaseUrl)) ?? error;
  } finally {
    await ending.closeAll();
  }
}

const waits: Record<HoldUp['by'], string> = {
  table:
    'a migration waits for a table that another transaction uses; it is tried again after a second, and then ever more seldom, up to a minute',
  build:
    'a migration builds an index, which takes its time and waits for every older transaction of the database',
  turn: 'another process migrates the database; this one waits for its end',
};

function warnOf(log: Log) {
  return ({ migration, by }: HoldUp): void => log.warn({ migration }, waits[by]);
}
