/** Where the data lies: in a database that is given, or in one that Winnow starts for itself. */
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import { awaitDatabase } from '../db/driver/await-database.ts';
import type { DatabaseOptions } from '../db/driver/client.ts';
import { startEmbeddedPostgres } from '../db/embedded/embedded.ts';
import type { ServerEvent } from '../db/embedded/guard.ts';
import { createRoomCheck } from '../db/room.ts';
import type { Ending } from './ending.ts';

export interface Data {
  databaseUrl: string;
  /** For people. */
  place: string;
  /** Of every pool. */
  room: Pick<DatabaseOptions, 'checkRoom'>;
}

export interface WaitOptions {
  /** Hears what is waited for, in sentences for people. */
  tell: (sentence: string) => void;
  signal: AbortSignal | undefined;
}

/** Throws StartFailure where the database, or its folder, is in the way. */
export async function openData(
  { databaseUrl, dataDirectory, databaseWaitSeconds }: Config,
  ending: Ending,
  { log, ...wait }: WaitOptions & { log: Log },
): Promise<Data> {
  if (databaseUrl !== null) {
    await awaitDatabase(databaseUrl, { ...wait, patienceMs: databaseWaitSeconds * 1_000 });
    return { databaseUrl, place: 'the database of DATABASE_URL', room: {} };
  }
  const postgres = await startEmbeddedPostgres({
    directory: `${dataDirectory}/postgres`,
    onEvent: (event) => tellOfDatabase(event, log),
  });
  ending.add(() => postgres.stop());
  const room = { checkRoom: createRoomCheck(dataDirectory) };
  return { databaseUrl: postgres.url, place: dataDirectory, room };
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
