/** The migrations of this version, as Drizzle's kit writes them. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The same place seen from src/db and from dist/db. */
export const ownFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** One file of the folder. */
export interface Migration {
  name: string;
  /** Milliseconds since 1970, as the journal has them: the order, and what the database keeps. */
  createdAt: number;
  /** Hash of the file, as Drizzle's own migrator keeps it. */
  hash: string;
  statements: readonly string[];
  /** Set where all it does is to build this index `concurrently`, which no transaction may do. */
  index: { name: string; table: string } | null;
}

/** In the order of their making. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const journal = JSON.parse(await readFile(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: readonly { tag: string; when: number }[];
  };
  return await Promise.all(
    journal.entries.map(async ({ tag, when }) => {
      const text = await readFile(join(folder, `${tag}.sql`), 'utf8');
      const statements = text.split('--> statement-breakpoint');
      return {
        name: tag,
        createdAt: when,
        hash: createHash('sha256').update(text).digest('hex'),
        statements,
        index: statements.length === 1 ? indexOf(text) : null,
      };
    }),
  );
}

function indexOf(statement: string): Migration['index'] {
  const [, name, table] =
    /^\s*create (?:unique )?index concurrently "(\w+)" on "(\w+)"/i.exec(statement) ?? [];
  return name && table ? { name, table } : null;
}
