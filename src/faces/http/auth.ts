import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Who a request is from, by its Authorization header; null when it does not say so rightly. */
export type Authenticate = (authorization: string | null | undefined) => string | null;

/** The one owner of a server without keys, which only this machine reaches. */
const localOwner = 'local';

/** Keys are compared by hashes, so that the time tells nothing. Without keys all are `local`. */
export function createAuthenticate(apiKeys: ReadonlyMap<string, string>): Authenticate {
  if (apiKeys.size === 0) return () => localOwner;
  const owners = new Map([...apiKeys].map(([key, owner]) => [hash(key), owner]));
  return (authorization) => {
    const [, key] = /^Bearer ([A-Za-z0-9_~.-]{1,512})$/i.exec(authorization ?? '') ?? [];
    return key === undefined ? null : (owners.get(hash(key)) ?? null);
  };
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
