/** Keys, made and taken back by the operator: the first one needs none. */
import { nearest } from '../core/nearest.ts';
import type { Scope } from '../core/scopes.ts';
import type { ApiKeyRecord } from '../db/api-keys.ts';
import type { Database } from '../db/driver/client.ts';
import { plain } from './columns.ts';
import type { CommandOutcome } from './commands.ts';
import { exits, WrongUse } from './failure.ts';
import { type FlagName, type Given, listOf } from './flags.ts';
import type { Shell } from './shell.ts';

export const keysWords = ['create', 'list', 'revoke'] as const;
export const keysFlags = ['owner', 'name', 'scopes', 'expires'] as const satisfies FlagName[];

const scopeWords = ['read', 'submit', 'admin'] as const;
/** Scopes of the keys of API_KEYS. */
const usualScopes: readonly (typeof scopeWords)[number][] = ['read', 'submit'];

/** `winnow keys create|list|revoke`. */
export async function keys(given: Given, shell: Shell): Promise<CommandOutcome> {
  const [, word, id] = given.words;
  const action = keysWords.find((one) => one === word);
  if (!action) {
    const near = word === undefined ? null : nearest(word, keysWords);
    const hint = near ? `. Did you mean ${near}?` : '';
    throw new WrongUse(`winnow keys needs one of ${keysWords.join(', ')}${hint}`);
  }
  if (action === 'revoke') return await revoke(id, shell, given);
  if (id !== undefined) throw new WrongUse(`winnow keys ${action} takes no further word: ${id}`);
  return await (action === 'create' ? create(given, shell) : list(given, shell));
}

async function create(given: Given, shell: Shell): Promise<CommandOutcome> {
  const owner = given.text('owner');
  if (!owner) throw new WrongUse('winnow keys create needs --owner NAME');
  const chosen = listOf(given, 'scopes', scopeWords) ?? usualScopes;
  const wanted = {
    owner,
    name: given.text('name') ?? `made ${new Date().toISOString().slice(0, 10)}`,
    scopes: chosen.map((word) => word.toUpperCase() as Scope),
    expiresAt: instantOf(given),
  };
  const { createApiKey } = await import('../app/api-keys.ts');
  const { BadUserInput } = await import('../core/errors.ts');
  const { apiKey, key } = await withDatabase(shell, { makes: true }, async (db, tellOf) => {
    const created = await createApiKey(db, wanted).catch((error: unknown) => {
      throw error instanceof BadUserInput ? new WrongUse(withFlags(error.message)) : error;
    });
    await tellOf(created.apiKey.id);
    return created;
  });
  if (!given.has('json')) {
    await shell.print(key);
    shell.tell(
      `This is the only time that the key is shown. winnow keys revoke ${apiKey.id} ends it.`,
    );
  }
  const { id, name, scopes, createdAt, expiresAt } = apiKey;
  return { exit: exits.done, json: { id, owner, name, scopes, createdAt, expiresAt, key } };
}

async function list(given: Given, shell: Shell): Promise<CommandOutcome> {
  const { listApiKeys } = await import('../db/api-keys.ts');
  const owner = given.text('owner') ?? null;
  const found = await withDatabase(shell, { makes: false }, (db) => listApiKeys(db, owner));
  if (!given.has('json')) for (const key of found) await shell.print(lineOf(key));
  return { exit: exits.done, json: { keys: found } };
}

async function revoke(id: string | undefined, shell: Shell, given: Given): Promise<CommandOutcome> {
  if (!id)
    throw new WrongUse('winnow keys revoke needs the ID of a key, as winnow keys list has it');
  const { revokeApiKey } = await import('../db/api-keys.ts');
  const { AppError } = await import('../core/errors.ts');
  const apiKey = await withDatabase(shell, { makes: false }, async (db, tellOf) => {
    const revoked = await revokeApiKey(db, id, null);
    if (revoked) await tellOf(id);
    return revoked;
  });
  if (!apiKey) throw new AppError('NOT_FOUND', `There is no key ${id}`);
  if (!given.has('json')) await shell.print(lineOf(apiKey));
  return { exit: exits.done, json: { key: apiKey } };
}

/** `tellOf` tells running servers of a key that was changed. */
async function withDatabase<Result>(
  shell: Shell,
  opening: { makes: boolean },
  use: (db: Database, tellOf: (id: string) => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const { withOwnDatabase } = await import('./own-database.ts');
  const { notifyKey } = await import('../db/driver/notifications.ts');
  return await withOwnDatabase(shell, opening, (db) => use(db, (id) => notifyKey(db.sql, id)));
}

/** A day means its beginning in UTC. Throws WrongUse for anything else than a day or an instant. */
function instantOf(given: Given): Date | null {
  const text = given.text('expires');
  if (text === undefined) return null;
  const isInstant = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const instant = new Date(text);
  if (isInstant && !Number.isNaN(instant.getTime())) return instant;
  throw new WrongUse(
    `--expires must be a day such as 2027-06-30, or an instant such as 2027-06-30T12:00:00Z, not ${text}`,
  );
}

function withFlags(message: string): string {
  return message.replace(
    /^(\w+): /,
    (_all, field: string) => `--${field === 'expiresAt' ? 'expires' : field} `,
  );
}

function lineOf(key: ApiKeyRecord): string {
  const { id, owner, name, scopes, createdAt, lastUsedAt, expiresAt, revokedAt } = key;
  const day = (instant: Date) => instant.toISOString().slice(0, 10);
  const state = revokedAt
    ? `revoked ${day(revokedAt)}`
    : expiresAt
      ? `${expiresAt.getTime() <= Date.now() ? 'expired' : 'expires'} ${day(expiresAt)}`
      : 'never expires';
  return [
    id,
    owner,
    plain(name.replace(/\s+/g, ' ')),
    scopes.join().toLowerCase(),
    `made ${day(createdAt)}`,
    lastUsedAt ? `used ${day(lastUsedAt)}` : 'never used',
    state,
  ].join('  ');
}
