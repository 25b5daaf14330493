import postgres from 'postgres';

/** Runs `work` while a table goes by another name: a failure that nobody foresees. */
export async function withoutTable(
  databaseUrl: string,
  table: string,
  work: () => Promise<void>,
): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    await sql`alter table ${sql(table)} rename to hidden`;
    try {
      await work();
    } finally {
      await sql`alter table hidden rename to ${sql(table)}`;
    }
  } finally {
    await sql.end();
  }
}
