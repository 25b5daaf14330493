/** The database itself, for commands of the operator: loaded only when one of them is called. */
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../db/driver/client.ts';
import type { Data } from '../service/data.ts';
import { withEnvFile } from './environment.ts';
import { NoServer, WrongUse } from './failure.ts';
import type { Shell } from './shell.ts';

/** Statements of a command follow each other. */
const maxConnections = 2;

/** `makes`: the database is made where DATA_DIR holds none. Else a command would find nothing. */
interface Opening {
  makes: boolean;
}

/**
 * Opens the database of DATABASE_URL, else DATA_DIR's Postgres, also while a server runs on it. Its
 * tables are brought to this version as by a start. It is closed after the use. Throws WrongUse for
 * wrong variables, NoServer where it is in the way, or where there is no database and the command
 * makes none.
 */
export async function withOwnDatabase<Result>(
  shell: Shell,
  opening: Opening,
  use: (db: Database, config: Config) => Promise<Result>,
): Promise<Result> {
  const { openDatabase } = await import('../db/driver/client.ts');
  const { bringTables } = await import('../service/tables.ts');

  return await withOwnData(shell, opening, async (data, config, log) => {
    await bringTables(data, { migrate: config.migrate, log });
    const db = openDatabase(data.databaseUrl, { maxConnections, ...data.access });
    try {
      return await use(db, config);
    } finally {
      await db.close();
    }
  });
}

/** The same with the database as it is: no table is touched, and no connection made. */
export async function withOwnData<Result>(
  { env: given, tell, ending: { signal } }: Shell,
  { makes }: Opening,
  use: (data: Data, config: Config, log: Log) => Promise<Result>,
): Promise<Result> {
  const { ConfigError, readConfig } = await import('../config.ts');
  const { StartFailure } = await import('../core/errors.ts');
  const { createLog } = await import('../core/log.ts');
  const { startFailureOf } = await import('../db/driver/await-database.ts');
  const { hasData, openData } = await import('../service/data.ts');
  const { createEnding } = await import('../service/ending.ts');

  let databaseUrl: string | null = null;
  let closeAll = async () => {};
  try {
    const env = withEnvFile(given);
    const config = readConfig({ ...env, LOG_LEVEL: env.LOG_LEVEL || 'error' });
    if (!makes && !hasData(config)) throw new NoServer(noData(config));
    const log = createLog(config.logLevel, config);
    const ending = createEnding(log);
    closeAll = ending.closeAll;
    const data = await openData(config, ending, { log, tell, signal });
    databaseUrl = data.databaseUrl;
    return await use(data, config, log);
  } catch (error) {
    const failure = (databaseUrl === null ? null : startFailureOf(error, databaseUrl)) ?? error;
    if (failure instanceof ConfigError) throw new WrongUse(failure.message);
    if (failure instanceof StartFailure) throw new NoServer(failure.message);
    throw failure;
  } finally {
    await closeAll();
  }
}

function noData({ dataDirectory }: Config): string {
  return `DATA_DIR must be the folder of a database, or DATABASE_URL the address of one; ${dataDirectory} has none`;
}
