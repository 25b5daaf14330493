/** The life of keys, for an admin in GraphQL and for the operator's command. */
import { hashKey, newApiKey } from '../core/api-key.ts';
import { AppError, BadUserInput, type InputIssue } from '../core/errors.ts';
import { isOwnerName, ownerNameRule } from '../core/owner-name.ts';
import { type Scope, scopeNames } from '../core/scopes.ts';
import { textProblem } from '../core/text.ts';
import {
  type ApiKeyRecord,
  countKeysOf,
  endedKeyDays,
  insertApiKey,
  maxListedKeys,
} from '../db/api-keys.ts';
import type { Database } from '../db/driver/client.ts';

/** Characters of a key's name. */
const maxNameLength = 200;
/** Most keys of an owner, those included that have ended: each process keeps a copy of all. */
export const maxKeptKeys = 10_000;
/** That two ids of 62^8 are the same happens; that several are, one after the other, does not. */
const maxTries = 5;

export interface WantedKey {
  owner: string;
  name: string;
  scopes: readonly Scope[];
  /** Null: never. */
  expiresAt: Date | null;
}

/**
 * Makes a key. It is returned here and kept nowhere. Throws BadUserInput with the names of the
 * fields as paths, and CONFLICT where the owner has too many.
 */
export async function createApiKey(
  db: Pick<Database, 'query'>,
  wanted: WantedKey,
): Promise<{ apiKey: ApiKeyRecord; key: string }> {
  const issues = problemsOf(wanted);
  if (issues.length > 0) throw new BadUserInput(issues);
  await refuseTooMany(db, wanted.owner);
  const scopes = scopeNames.filter((scope) => wanted.scopes.includes(scope));
  for (let tries = 0; tries < maxTries; tries += 1) {
    const { id, key } = newApiKey();
    const apiKey = await insertApiKey(db, { ...wanted, scopes, id, hash: hashKey(key) });
    if (apiKey) return { apiKey, key };
  }
  throw new Error('no id of a key is free');
}

async function refuseTooMany(db: Pick<Database, 'query'>, owner: string): Promise<void> {
  const { live, kept } = await countKeysOf(db, owner);
  if (live >= maxListedKeys) {
    const message = `An owner must have at most ${maxListedKeys} keys that are neither revoked nor expired`;
    throw new AppError('CONFLICT', message);
  }
  if (kept >= maxKeptKeys) {
    const message = `An owner must have at most ${maxKeptKeys} keys, those included that ended in the last ${endedKeyDays} days`;
    throw new AppError('CONFLICT', message);
  }
}

function problemsOf({ owner, name, scopes, expiresAt }: WantedKey): InputIssue[] {
  const issues: InputIssue[] = [];
  if (!isOwnerName(owner)) issues.push({ path: 'owner', message: `must be ${ownerNameRule}` });
  const textIssue = textProblem(name);
  if (textIssue) issues.push({ path: 'name', message: textIssue });
  if (name.trim() === '' || name.length > maxNameLength) {
    issues.push({ path: 'name', message: `must be 1 to ${maxNameLength} characters` });
  }
  if (scopes.length === 0) issues.push({ path: 'scopes', message: 'must have at least one scope' });
  if (expiresAt && expiresAt.getTime() <= Date.now()) {
    issues.push({ path: 'expiresAt', message: 'must be in the future' });
  }
  return issues;
}
