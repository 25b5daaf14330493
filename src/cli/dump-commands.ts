/** The database in a file, and back. */
import type { Buffer } from 'node:buffer';
import { open, rm } from 'node:fs/promises';
import type { CommandOutcome } from './commands.ts';
import { Ended, exits, NoServer, ReaderLeft, WrongUse } from './failure.ts';
import type { Given } from './flags.ts';
import type { Shell } from './shell.ts';

/** Standard output, or standard input. */
const stream = '-';
/** It holds rows, answers and secrets: for its owner alone. */
const mode = 0o600;
const readBytes = 1_048_576;

/** `winnow database dump FILE`. */
export async function dump(file: string, given: Given, shell: Shell): Promise<CommandOutcome> {
  const { withOwnData } = await import('./own-database.ts');
  const { dumpDatabase } = await import('../db/dump/write-dump.ts');
  const { readMigrationState } = await import('../db/migrate.ts');
  if (file === stream && given.has('json')) throw new WrongUse('--json needs a FILE other than -');
  const tables: Record<string, number> = {};
  const { bytes, isSealed } = await withOwnData(
    shell,
    { makes: false },
    async ({ directUrl, access }, config) => {
      const { missing, unknown } = await readMigrationState(directUrl, access);
      if (missing.length > 0 || unknown > 0) {
        throw new NoServer(
          'The tables must be those of this version: dump with the version that has migrated the database',
        );
      }
      const pieces = dumpDatabase(directUrl, {
        name: access.name ?? 'winnow',
        onTable: (table, rows) => {
          tables[table] = rows;
        },
      });
      const written =
        file === stream ? await print(pieces, shell) : await write(pieces, file, shell);
      return { bytes: written, isSealed: config.secretsKeys.length > 0 };
    },
  );
  shell.tell(`${file === stream ? 'Dumped' : `Wrote ${file}:`} ${inWords(tables)}.`);
  shell.tell(
    `It has every row and answer, and ${isSealed ? 'the sealed secrets' : 'the secrets'} of the server: keep it as you keep the database.`,
  );
  return { exit: exits.done, json: { file, bytes, tables } };
}

/** `winnow database restore FILE`. */
export async function restore(file: string, _given: Given, shell: Shell): Promise<CommandOutcome> {
  const { withOwnData } = await import('./own-database.ts');
  const { restoreDatabase } = await import('../db/dump/restore-dump.ts');
  const { RestoreRefused } = await import('../db/dump/form.ts');
  // Opened before anything is made: of a stream that nobody reads yet, an error ends the process.
  const pieces = file === stream ? shell.stdin : await openToRead(file);
  const tables: Record<string, number> = {};
  await withOwnData(shell, { makes: true }, async ({ directUrl, access }) => {
    await restoreDatabase(directUrl, endable(pieces, shell), {
      name: access.name ?? 'winnow',
      onTable: (table, rows) => {
        tables[table] = rows;
      },
    }).catch((error: unknown) => {
      throw error instanceof RestoreRefused ? new WrongUse(error.message) : error;
    });
  });
  shell.tell(`Restored ${inWords(tables)}.`);
  shell.tell(
    'It is a copy: once the original is stopped, winnow database adopt lets its work go on.',
  );
  return { exit: exits.done, json: { file, tables } };
}

async function openToRead(file: string): Promise<AsyncIterable<Buffer>> {
  return (await open(file)).createReadStream({ highWaterMark: readBytes });
}

function inWords(tables: Readonly<Record<string, number>>): string {
  const rows = Object.values(tables).reduce((sum, count) => sum + count, 0);
  return `${rows.toLocaleString('en-US')} rows of ${Object.keys(tables).length} tables`;
}

/** Until somebody wants to end: then it throws Ended. */
async function* endable(
  pieces: AsyncIterable<Buffer>,
  { ending: { signal } }: Shell,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const piece of pieces) {
    if (signal.aborted) throw new Ended('Ended; nothing of it stays.');
    yield piece;
  }
}

async function print(pieces: AsyncIterable<Buffer>, shell: Shell): Promise<number> {
  let bytes = 0;
  for await (const piece of endable(pieces, shell)) {
    await shell.write(piece).catch((error: unknown) => {
      // A command whose reader leaves is done; half a dump is not.
      throw error instanceof ReaderLeft ? new Error('The reader must take the whole dump') : error;
    });
    bytes += piece.length;
  }
  return bytes;
}

/** A new file, which is on the disk when this resolves, and gone when it throws. */
async function write(pieces: AsyncIterable<Buffer>, file: string, shell: Shell): Promise<number> {
  const handle = await open(file, 'wx', mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new WrongUse(`${file} must be a new file, and is there already`);
  });
  let bytes = 0;
  try {
    for await (const piece of endable(pieces, shell)) {
      await handle.writeFile(piece);
      bytes += piece.length;
    }
    await handle.sync();
    await handle.close();
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(file, { force: true });
    throw error;
  }
  return bytes;
}
