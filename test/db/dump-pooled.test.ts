/** Dumps through PgBouncer in transaction mode alone, where it is installed. */
import { Buffer } from 'node:buffer';
import postgres from 'postgres';
import { expect, it } from 'vitest';
import { restoreDatabase } from '../../src/db/dump/restore-dump.ts';
import { dumpDatabase } from '../../src/db/dump/write-dump.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startPooler } from '../support/pgbouncer.ts';

const name = 'test';
const onTable = () => undefined;

it('a dump and a restore leave none of their settings in a session of the pooler', async ({
  skip,
}) => {
  const databases = [await createTestDatabase(), await createTestDatabase()] as const;
  const pooler = await startPooler(databases[0].url);
  if (!pooler) return skip('PgBouncer is not installed');
  const [from, to] = databases.map(({ url }) => pooler.through(url)) as [string, string];
  try {
    await Promise.all(databases.map(limitStatements));
    const pieces: Buffer[] = [];
    for await (const piece of dumpDatabase(from, { name, onTable })) pieces.push(piece);
    const text = Buffer.concat(pieces);
    async function* whole() {
      yield text;
    }

    await restoreDatabase(to, whole(), { name, onTable });

    expect(text.toString()).toMatch(/commit;\n$/);
    expect(await readSettings(from)).toEqual(ownSettings);
    expect(await readSettings(to)).toEqual(ownSettings);
  } finally {
    await pooler.stop();
    await Promise.all(databases.map(({ drop }) => drop()));
  }
});

const ownSettings = { limit: '77s', form: 'escape' };

async function limitStatements({ url }: TestDatabase): Promise<void> {
  const sql = postgres(url, { max: 1 });
  const database = new URL(url).pathname.slice(1);
  await sql.unsafe(`alter database "${database}" set statement_timeout = '77s'`);
  await sql.unsafe(`alter database "${database}" set bytea_output = 'escape'`);
  await sql.end();
}

async function readSettings(url: string) {
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false });
  const [settings] = await sql`
    select current_setting('statement_timeout') as limit, current_setting('bytea_output') as form`;
  await sql.end();
  return settings;
}
