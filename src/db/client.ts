import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';

/** The raw client. Keys come back as bigint, JSON and instants as their JavaScript values. */
export type Sql = postgres.Sql<{ bigint: bigint }>;

/**
 * Two clients of one database: Drizzle changes how its client reads JSON and instants, so what is written in
 * plain SQL has a client of its own.
 *
 * No function takes a transaction: under load, postgres.js leaves connections idle inside one and then loses
 * acknowledged writes. Every write is one statement, and safe to repeat.
 */
export interface Database {
  query: PostgresJsDatabase;
  sql: Sql;
  close(): Promise<void>;
}

const closeTimeoutSeconds = 5;

/** Opens both pools; connections are made when first needed. */
export function openDatabase(url: string, { maxConnections = 10 } = {}): Database {
  const shared = {
    max: maxConnections,
    onnotice: () => undefined,
    connection: {
      application_name: 'winnow',
      // No statement of ours takes this long; one that hangs must not hold its locks for ever.
      statement_timeout: 60_000,
      idle_in_transaction_session_timeout: 15_000,
    },
  } as const;
  const sql: Sql = postgres(url, { ...shared, types: { bigint: postgres.BigInt } });
  const drizzleClient = postgres(url, shared);

  return {
    query: drizzle(drizzleClient),
    sql,
    async close() {
      await Promise.all([
        sql.end({ timeout: closeTimeoutSeconds }),
        drizzleClient.end({ timeout: closeTimeoutSeconds }),
      ]);
    },
  };
}
