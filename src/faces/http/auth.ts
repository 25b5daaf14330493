import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../core/errors.ts';
import { type Scope, scopeNames } from '../../core/scopes.ts';

/** Who asks, as the key of the request tells. */
export interface Bearer {
  owner: string;
  scopes: ReadonlySet<Scope>;
  /** The public part of a key of the table; null for keys of API_KEYS, and without keys. */
  keyId: string | null;
}

/** Who a request is from, by its Authorization header; null when it does not say so rightly. */
export type Authenticate = (authorization: string | null | undefined) => Promise<Bearer | null>;

/** The one owner of a server without keys, which only this machine reaches. */
const local: Bearer = { owner: 'local', scopes: new Set(scopeNames), keyId: null };

/** Keys are compared by hashes, so that the time tells nothing. Without keys all are `local`. */
export function createAuthenticate(apiKeys: ReadonlyMap<string, string>): Authenticate {
  if (apiKeys.size === 0) return async () => local;
  const bearers = new Map(
    [...apiKeys].map(([key, owner]) => [
      hash(key),
      { owner, scopes: new Set<Scope>(['READ', 'SUBMIT']), keyId: null },
    ]),
  );
  return async (authorization) => {
    const [, key] = /^Bearer ([A-Za-z0-9_~.-]{1,512})$/i.exec(authorization ?? '') ?? [];
    return key === undefined ? null : (bearers.get(hash(key)) ?? null);
  };
}

/** Throws AppError FORBIDDEN, which names the scope, for a key that lacks it. */
export function requireScope({ scopes }: Pick<Bearer, 'scopes'>, scope: Scope): void {
  if (scopes.has(scope)) return;
  throw new AppError('FORBIDDEN', `The key must have the scope ${scope}, which it lacks`);
}

/** The key of a request, as an Authorization header: Anthropic's clients send it as x-api-key. */
export function authorizationOf(headers: IncomingHttpHeaders): string | undefined {
  const { authorization, 'x-api-key': apiKey } = headers;
  return authorization ?? (typeof apiKey === 'string' ? `Bearer ${apiKey}` : undefined);
}

function hash(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

export const needsKey = 'This server needs a key: Authorization: Bearer <key>';
