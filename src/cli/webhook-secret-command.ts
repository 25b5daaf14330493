/** The secret by which an owner verifies its webhooks, read by the operator in the database. */
import type { CommandOutcome } from './commands.ts';
import { exits, WrongUse } from './failure.ts';
import type { Given } from './flags.ts';
import type { Shell } from './shell.ts';

/** `winnow webhook-secret --owner NAME`. */
export async function webhookSecret(given: Given, shell: Shell): Promise<CommandOutcome> {
  const owner = given.text('owner');
  if (!owner) throw new WrongUse('winnow webhook-secret needs --owner NAME');
  const { withOwnDatabase } = await import('./own-database.ts');
  const { readOwnerSecret } = await import('../service/webhook-secrets.ts');
  const secret = await withOwnDatabase(shell, { makes: true }, (db, config) =>
    readOwnerSecret(config, db, owner),
  );
  if (!given.has('json')) await shell.print(secret);
  return { exit: exits.done, json: { owner, webhookSecret: secret } };
}
