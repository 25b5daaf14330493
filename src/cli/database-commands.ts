/** The database as a whole: dumped to a file, restored, and a copy made one of its own. */
import { nearest } from '../core/nearest.ts';
import type { CommandOutcome } from './commands.ts';
import { dump, restore } from './dump-commands.ts';
import { exits, WrongUse } from './failure.ts';
import type { Given } from './flags.ts';
import type { Shell } from './shell.ts';

export const databaseWords = ['dump', 'restore', 'adopt', 'forget-work'] as const;

/** `winnow database dump|restore|adopt|forget-work`. */
export async function database(given: Given, shell: Shell): Promise<CommandOutcome> {
  const [, word, file] = given.words;
  const action = databaseWords.find((one) => one === word);
  if (!action) {
    const near = word === undefined ? null : nearest(word, databaseWords);
    const hint = near ? `. Did you mean ${near}?` : '';
    throw new WrongUse(`winnow database needs one of ${databaseWords.join(', ')}${hint}`);
  }
  if (action === 'dump' || action === 'restore') {
    if (file === undefined) throw new WrongUse(`winnow database ${action} needs a FILE`);
    return await (action === 'dump' ? dump : restore)(file, given, shell);
  }
  if (file !== undefined)
    throw new WrongUse(`winnow database ${action} takes no further word: ${file}`);
  return await (action === 'adopt' ? adopt : forget)(given, shell);
}

async function adopt(given: Given, shell: Shell): Promise<CommandOutcome> {
  const { withOwnDatabase } = await import('./own-database.ts');
  const { adoptDatabase } = await import('../db/identity.ts');
  const adopted = await withOwnDatabase(shell, { makes: false }, adoptDatabase);
  if (!given.has('json')) {
    await shell.print(adopted ? 'Adopted: its work is done from now on.' : 'It is not a copy.');
  }
  return { exit: exits.done, json: { adopted } };
}

async function forget(given: Given, shell: Shell): Promise<CommandOutcome> {
  const { withOwnDatabase } = await import('./own-database.ts');
  const { adoptDatabase, isOwnDatabase } = await import('../db/identity.ts');
  const { forgetWork } = await import('../service/forget-work.ts');
  const forgotten = await withOwnDatabase(shell, { makes: false }, async (db) => {
    if (!given.has('yes') && (await isOwnDatabase(db))) {
      throw new WrongUse(
        'This database is not a copy; winnow database forget-work --yes cancels its unfinished batches all the same',
      );
    }
    const found = await forgetWork(db);
    await adoptDatabase(db);
    return found;
  });
  if (!given.has('json')) {
    const { batches, providerBatches, webhooks } = forgotten;
    await shell.print(
      `Given up: ${batches} batches, ${providerBatches} provider jobs, ${webhooks} webhooks.`,
    );
  }
  return { exit: exits.done, json: { ...forgotten } };
}
