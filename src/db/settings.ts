/** Settings that a server makes once and keeps. */
import { eq } from 'drizzle-orm';
import type { Builder } from './driver/client.ts';
import { settings } from './tables.ts';

/**
 * The setting of a name; where the setting is missing, what `make` returns. All who race to make it
 * get the one that won.
 */
export async function readOrMakeSetting(
  db: Builder,
  name: string,
  make: () => string,
): Promise<string> {
  const kept = await readSetting(db, name);
  if (kept !== null) return kept;
  await db.query.insert(settings).values({ name, value: make() }).onConflictDoNothing();
  // A statement of its own: the one above cannot see the row that it lost to.
  const won = await readSetting(db, name);
  if (won === null) throw new Error(`the setting ${name} has gone`);
  return won;
}

/** The setting of a name, or null. */
export async function readSetting(db: Builder, name: string): Promise<string | null> {
  const [setting] = await db.query
    .select({ value: settings.value })
    .from(settings)
    .where(eq(settings.name, name));
  return setting?.value ?? null;
}

/** Replaces the setting of a name. */
export async function writeSetting(db: Builder, name: string, value: string): Promise<void> {
  await db.query
    .insert(settings)
    .values({ name, value })
    .onConflictDoUpdate({ target: settings.name, set: { value } });
}
