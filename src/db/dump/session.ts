/** One connection to a database, for one transaction that may take hours. */
import pg from 'pg';
import { urlForPg } from '../driver/tls.ts';

/** Those that the version of Postgres has: the role, or a host, may have set them. */
const limits = `
  select name from pg_settings
  where name in ('statement_timeout', 'lock_timeout', 'transaction_timeout',
    'idle_in_transaction_session_timeout')`;

/** Settings by which values are written in a dump, whatever the server's own are. */
const forms = ["client_encoding = 'UTF8'", "datestyle = 'ISO, MDY'", "bytea_output = 'hex'"];

/**
 * Opens the connection and begins the transaction by `begin`, and closes it after the work. A
 * transaction that the work leaves open is undone by that.
 */
export async function withTransaction<Result>(
  url: string,
  { name, begin }: { name: string; begin: string },
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const { client, close } = await openTransaction(url, { name, begin });
  try {
    return await work(client);
  } finally {
    await close();
  }
}

/** The same for work that is not one call. The transaction has no snapshot yet. */
export async function openTransaction(
  url: string,
  { name, begin }: { name: string; begin: string },
): Promise<{ client: pg.Client; close: () => Promise<void> }> {
  const client = new pg.Client({
    connectionString: urlForPg(url),
    application_name: name,
    keepAlive: true,
  });
  // Of a connection that is lost each statement tells; unheard, the event would end the process.
  client.on('error', () => undefined);
  await client.connect();
  const close = () => client.end();
  try {
    const { rows } = await client.query<{ name: string }>(limits);
    const settings = [...forms, ...rows.map((limit) => `${limit.name} = 0`)];
    // Behind a pooler the connection is nobody's: what is set holds for the transaction alone.
    await client.query([begin, ...settings.map((setting) => `set local ${setting}`)].join('; '));
  } catch (error) {
    await close();
    throw error;
  }
  return { client, close };
}
