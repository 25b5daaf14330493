import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../core/errors.ts';
import type { Scope } from '../../core/scopes.ts';

/** Who asks, as the key of the request tells. */
export interface Bearer {
  owner: string;
  scopes: ReadonlySet<Scope>;
  /** The public part of a key of the database; null for keys of API_KEYS, and without keys. */
  keyId: string | null;
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
