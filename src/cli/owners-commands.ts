/** Owners, listed and erased by the operator in the database itself. */
import type { ErasedOwner } from '../app/erase-owner.ts';
import { nearest } from '../core/nearest.ts';
import { ask } from './ask.ts';
import { counted, plain } from './columns.ts';
import type { CommandOutcome } from './commands.ts';
import { exits, WrongUse } from './failure.ts';
import type { Given } from './flags.ts';
import type { Shell } from './shell.ts';

export const ownersWords = ['list', 'erase'] as const;

/** `winnow owners list|erase`. */
export async function owners(given: Given, shell: Shell): Promise<CommandOutcome> {
  const [, word, name] = given.words;
  const action = ownersWords.find((one) => one === word);
  if (!action) {
    const near = word === undefined ? null : nearest(word, ownersWords);
    const hint = near ? `. Did you mean ${near}?` : '';
    throw new WrongUse(`winnow owners needs one of ${ownersWords.join(', ')}${hint}`);
  }
  if (action === 'erase') return await erase(name, given, shell);
  if (name !== undefined) throw new WrongUse(`winnow owners list takes no further word: ${name}`);
  return await list(given, shell);
}

async function list(given: Given, shell: Shell): Promise<CommandOutcome> {
  const { withOwnDatabase } = await import('./own-database.ts');
  const { listOwners } = await import('../db/owners.ts');
  const found = await withOwnDatabase(shell, { makes: false }, (db) => listOwners(db.sql));
  if (!given.has('json')) {
    for (const { owner, batches, files, bytes, lastUsedAt } of found) {
      const used = lastUsedAt ? `last used ${lastUsedAt.toISOString().slice(0, 10)}` : 'not in use';
      const sums = [
        counted(batches, 'batch', 'batches'),
        counted(files, 'file'),
        counted(bytes, 'byte'),
      ];
      await shell.print(plain([owner, ...sums, used].join('  ')));
    }
  }
  return { exit: exits.done, json: { owners: found } };
}

async function erase(
  owner: string | undefined,
  given: Given,
  shell: Shell,
): Promise<CommandOutcome> {
  if (!owner) throw new WrongUse('winnow owners erase needs the NAME of an owner');
  if (shell.canAsk && !given.has('yes') && !given.has('json')) {
    const text = `Delete all batches, answers and files of ${plain(owner)}, for ever?`;
    if (!(await ask(shell, text))) throw new WrongUse('Nothing was deleted.');
  }
  const { withOwnDatabase } = await import('./own-database.ts');
  const { eraseOwner } = await import('../app/erase-owner.ts');
  const erased = await withOwnDatabase(shell, { makes: false }, (db) => eraseOwner(db, owner));
  if (!given.has('json')) for (const line of linesOf(erased)) await shell.print(plain(line));
  return { exit: exits.done, json: { ...erased } };
}

function linesOf({ owner, keys, batches, files, spending, waitingBatches }: ErasedOwner): string[] {
  return [
    `Revoked: ${counted(keys, 'key')} of ${owner}.`,
    `Deleted of ${owner}: ${counted(batches, 'batch', 'batches')}, ${counted(files, 'file')}, and their webhooks.`,
    ...(spending.sums > 0
      ? [`What was spent stays (${counted(spending.sums, 'sum')}), under ${spending.owner}.`]
      : []),
    ...(waitingBatches > 0
      ? [
          `${counted(waitingBatches, 'batch', 'batches')} go once a worker or a provider lets go of them.`,
        ]
      : []),
    'What stays elsewhere: keys in API_KEYS, backups, logs, and what providers keep.',
  ];
}
