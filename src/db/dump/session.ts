/** One connection to a database, for one transaction that may take hours. */
import pg from 'pg';

/** Those that the version of Postgres has: the role, or a host, may have set them. */
const withoutLimits = `
  select set_config(name, '0', false) from pg_settings
  where name in ('statement_timeout', 'lock_timeout', 'transaction_timeout',
    'idle_in_transaction_session_timeout')`;

/** How values are written in a dump, whatever the server's own settings are. */
const forms = "set client_encoding = 'UTF8'; set datestyle = 'ISO, MDY'; set bytea_output = 'hex'";

/**
 * Opens the connection, and closes it after the work. A transaction that the work leaves open is
 * undone by that.
 */
export async function withSession<Result>(
  url: string,
  name: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const { client, close } = await openSession(url, name);
  try {
    return await work(client);
  } finally {
    await close();
  }
}

/** The same for work that is not one call. */
export async function openSession(
  url: string,
  name: string,
): Promise<{ client: pg.Client; close: () => Promise<void> }> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    keepAlive: true,
  });
  // Of a connection that is lost each statement tells; unheard, the event would end the process.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`${forms}; ${withoutLimits}`);
  return { client, close: () => client.end() };
}
