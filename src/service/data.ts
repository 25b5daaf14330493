/** Where the data lies: in a database that is given, or in one that Winnow starts for itself. */
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import { awaitDatabase } from '../db/driver/await-database.ts';
import type { DatabaseOptions } from '../db/driver/client.ts';
import { isMade, startEmbeddedPostgres } from '../db/embedded/embedded.ts';
import type { ServerEvent } from '../db/embedded/guard.ts';
import { createRoomCheck } from '../db/room.ts';
import type { Ending } from './ending.ts';

export interface Data {
  databaseUrl: string;
  /** For what lives in a session: past a pooler where there is one. */
  directUrl: string;
  /**
   * Settings of every pool through `databaseUrl`: their name, and whether sessions may be kept
   * there.
   */
  access: Pick<DatabaseOptions, 'name' | 'pooled'>;
  /** For people. */
  place: string;
  /** The check of every pool. */
  room: Pick<DatabaseOptions, 'checkRoom'>;
}

export interface WaitOptions {
  /** Hears what is waited for, in sentences for people. */
  tell: (sentence: string) => void;
  signal: AbortSignal | undefined;
}

/** The folder of the embedded Postgres. */
const embeddedFolder = ({ dataDirectory }: Pick<Config, 'dataDirectory'>) =>
  `${dataDirectory}/postgres`;

/** True where there is a database to be opened; else a start would make one. */
export function hasData(config: Pick<Config, 'databaseUrl' | 'dataDirectory'>): boolean {
  return config.databaseUrl !== null || isMade(embeddedFolder(config));
}

/** Throws StartFailure where the database, or its folder, is in the way. */
export async function openData(
  config: Config,
  ending: Ending,
  { log, ...wait }: WaitOptions & { log: Log },
): Promise<Data> {
  const { databaseUrl, databaseUrlDirect, dataDirectory, databaseWaitSeconds } = config;
  const name = `winnow ${config.role} ${process.pid}`;
  const access = { name, pooled: databaseUrlDirect !== null || !config.listens };
  if (databaseUrl !== null) {
    const directUrl = databaseUrlDirect ?? databaseUrl;
    const patience = { ...wait, name, patienceMs: databaseWaitSeconds * 1_000 };
    for (const url of new Set([directUrl, databaseUrl])) await awaitDatabase(url, patience);
    return { databaseUrl, directUrl, access, place: 'the database of DATABASE_URL', room: {} };
  }
  const postgres = await startEmbeddedPostgres({
    directory: embeddedFolder(config),
    onEvent: (event) => tellOfDatabase(event, log),
  });
  ending.add(() => postgres.stop());
  const room = { checkRoom: createRoomCheck(dataDirectory) };
  const { url } = postgres;
  return { databaseUrl: url, directUrl: url, access, place: dataDirectory, room };
}

function tellOfDatabase(event: ServerEvent, log: Log): void {
  if (event.kind === 'restarted')
    log.warn('the embedded Postgres had ended, and was started again');
  else
    log.error(
      { err: event.error },
      'the embedded Postgres does not start again, or cannot be looked for; trying again',
    );
}
