/** What a server makes once and keeps. */
import type { Sql } from './driver/client.ts';

/**
 * The setting of a name; where the setting is missing, what `make` returns. All who race to make it
 * get the one that won.
 */
export async function readOrMakeSetting(
  sql: Sql,
  name: string,
  make: () => string,
): Promise<string> {
  const kept = await readSetting(sql, name);
  if (kept !== null) return kept;
  await sql`insert into settings (name, value) values (${name}, ${make()}) on conflict do nothing`;
  // A statement of its own: the one above cannot see the row that it lost to.
  const won = await readSetting(sql, name);
  if (won === null) throw new Error(`the setting ${name} has gone`);
  return won;
}

async function readSetting(sql: Sql, name: string): Promise<string | null> {
  const [setting] = await sql<{ value: string }[]>`
    select value from settings where name = ${name}`;
  return setting?.value ?? null;
}
