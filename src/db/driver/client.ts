import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';

import type { Telling } from '../../telemetry/events.ts';
import { ConnectionLost } from './failure.ts';
import type { Presence } from './presence.ts';
import { admitQueries, type Statement, watchQueries } from './queries.ts';

import { createSockets, type Target } from './sockets.ts';

/**
 * The raw client. Keys come back as bigint, JSON and instants as their JavaScript values. The one
 * array it takes is `text[]`, which can be cast on: `${keys.map(String)}::text[]::bigint[]`.
 */
export type Sql = postgres.Sql<{ bigint: bigint; texts: readonly (string | null)[] }>;

/**
 * One pool for plain SQL and for Drizzle's builder.
 *
 * No function takes a transaction: under load, postgres.js leaves connections idle inside one and
 * then loses acknowledged writes. Every write is one statement, and safe to repeat.
 */
export interface Database {
  query: PostgresJsDatabase;
  sql: Sql;
  /**
   * Breaks every connection, for a database that has gone silent: what is under way rejects with
   * `reason`, which may have been done or not. Once it resolves, the next statement connects again;
   * one that comes before may reject too.
   */
  disconnect(reason: Error): Promise<void>;
  /** The same database for one caller, whose statements begin when `admit` begins them. */
  admittedBy(admit: (statement: Statement) => void): Database;
  /** Connections that are open, statements that have one, and those that wait for one. */
  connections(): { open: number; busy: number; waiting: number };
  /** Call before much is stored: throws STORAGE_FULL where the disk is known to lack room. */
  checkRoom(): Promise<void>;
  close(): Promise<void>;
}

/** The parts that statements built by Drizzle need: each waits in the pool of its database. */
export type Builder = Pick<Database, 'query'>;

const closeTimeoutSeconds = 2;
/**
 * A database that comes back is found within this. The driver's own backoff grows to 20 s, for all
 * connections together.
 */
const maxReconnectSeconds = 0.5;
const firstReconnectSeconds = 0.02;

/** From this many bytes on, the driver writes at once. */
const driverWriteBytes = 1024;
const connectTimeoutSeconds = 5;

/** No statement of ours takes this long; one that hangs must not hold its locks for ever. */
const defaultStatementTimeoutMs = 60_000;
/** The server's end of a statement that takes too long has arrived so much later at the latest. */
const defaultAnswerTimeoutMs = defaultStatementTimeoutMs + 5_000;
/** A restart of the database is waited for as long; a longer absence ends what waits. */
const defaultAwayMs = 5_000;

/** https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat: `_text` */
const textArrayOid = 1009;

export interface DatabaseOptions {
  /** Name of each connection that Postgres shows its operator. */
  name?: string;
  /**
   * A pooler may lead each statement to another connection: nothing is kept in one. What statements
   * may take is then set for the role.
   */
  pooled?: boolean;
  maxConnections?: number;
  statementTimeoutMs?: number;
  answerTimeoutMs?: number;
  /** A statement without a connection rejects after this; absent: as one without an answer. */
  connectMs?: number;
  /** The same while the database is known to be away. */
  awayMs?: number;
  /** Hears of answers and failures. */
  presence?: Presence;
  /** Told how long statements take. */
  events?: Telling;
  /** Where the disk that the database is on can be looked at. */
  checkRoom?: () => Promise<void>;
}

/** Opens a pool. Connections are made when first needed. */
export function openDatabase(
  url: string,
  {
    name = 'winnow',
    pooled = false,
    maxConnections = 10,
    statementTimeoutMs = defaultStatementTimeoutMs,
    answerTimeoutMs = defaultAnswerTimeoutMs,
    connectMs = answerTimeoutMs,
    awayMs = defaultAwayMs,
    presence,
    events,
    checkRoom = async () => undefined,
  }: DatabaseOptions = {},
): Database {
  const sockets = createSockets(() => presence?.doubt());
  const disconnect = (reason: Error) => sockets.breakAll(reason);
  const options = {
    max: maxConnections,
    types: { bigint: postgres.BigInt, texts },
    connect_timeout: connectTimeoutSeconds,
    // The driver asks each new connection for the array types, and nobody waits for the answer: a
    // backend that dies just then is an unhandled rejection, which ends the process.
    fetch_types: false,
    backoff: (attempt: number) =>
      Math.min(firstReconnectSeconds * 2 ** attempt, maxReconnectSeconds),
    onnotice: () => undefined,
    // The driver hands its own parsed options over, which its types leave out.
    socket: (target: Target) => sockets.open(target),
    prepare: !pooled,
    // Of several statements that are sent one behind the other, PgBouncer 1.18 gives the connection
    // away at the end of the first. Nobody gets the answers of the others.
    ...(pooled ? { max_pipeline: 0 } : {}),
    connection: {
      application_name: name,
      // A backend that dies while a statement waits to be written leaves the driver's connection
      // deaf: postgres.js 3.4.9 forgets that its write timer was cleared, and never sends its next
      // startup message, unless that alone fills the write buffer. Blanks mean nothing here, and
      // poolers know the parameter.
      DateStyle: 'ISO, MDY'.padEnd(driverWriteBytes),
      ...(pooled
        ? {}
        : {
            statement_timeout: statementTimeoutMs,
            idle_in_transaction_session_timeout: 15_000,
          }),
    },
  };
  const driver = postgres(url, options);
  const {
    client: sql,
    activity,
    stop,
  } = watchQueries(driver, {
    deadlineMs: answerTimeoutMs,
    connectMs,
    awayMs,
    presence,
    events,
    onSilence: () =>
      void disconnect(
        new ConnectionLost(`the database did not answer a statement within ${answerTimeoutMs} ms`),
      ),
  });

  const database: Database = {
    query: buildOn(sql),
    sql,
    admittedBy(admit) {
      const admitted = admitQueries(sql, admit);
      let query: PostgresJsDatabase | null = null;
      return {
        ...database,
        sql: admitted,
        get query() {
          query ??= buildOn(admitted);
          return query;
        },
      };
    },
    disconnect,
    connections: () => ({ open: sockets.count(), ...activity() }),
    checkRoom,
    async close() {
      stop();
      await driver.end({ timeout: closeTimeoutSeconds });
    },
  };
  return database;
}

/**
 * Drizzle's builder. It has the driver return instants as text; here they stay as plain SQL has
 * them, and its columns take both.
 */
function buildOn(client: Sql): PostgresJsDatabase {
  const { parsers, serializers } = client.options;
  const [ownParsers, ownSerializers] = [{ ...parsers }, { ...serializers }];
  const query = drizzle(client as unknown as postgres.Sql);
  Object.assign(parsers, ownParsers);
  Object.assign(serializers, ownSerializers);
  return query;
}

const texts: postgres.PostgresType<readonly (string | null)[]> = {
  to: textArrayOid,
  from: [], // no statement selects an array
  parse: (raw: string) => [raw],
  serialize: (values: readonly (string | null)[]) =>
    `{${values.map((value) => (value === null ? 'NULL' : quoted(value))).join()}}`,
};

function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
