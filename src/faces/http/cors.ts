/** Headers for pages from other origins: the same on every route. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Headers that no web page sends without asking. A multipart request of GraphQL has one. */
export const preflightHeaders = [
  'graphql-preflight',
  'apollo-require-preflight',
  'x-graphql-yoga-csrf',
] as const;
const allowedHeaders = [
  'authorization',
  'content-type',
  'x-request-id',
  'idempotency-key',
  // Of OpenAI's and Anthropic's packages.
  'x-api-key',
  'anthropic-version',
  'anthropic-beta',
  'openai-organization',
  'openai-project',
  ...preflightHeaders.map((name) => name.toLowerCase()),
];
const exposedHeaders = [
  'content-disposition',
  'location',
  'retry-after',
  'x-request-id',
  'request-id',
  'x-should-retry',
  'x-incomplete',
  'x-last-line',
];
const allowedMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** A browser does not ask again for this time. */
const maxAgeSeconds = 600;
/** https://www.rfc-editor.org/rfc/rfc9110#name-tokens */
const token = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Lets the page read the answer, which is still to be written. To be called once it is known that
 * its origin is trusted: a page may then send what headers it likes, because a key is a header that
 * it must know, and cookies are none of ours.
 */
export function allowOrigin({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('vary', 'Origin');
  if (headers.origin === undefined) return;
  response.setHeader('access-control-allow-origin', headers.origin);
  response.setHeader('access-control-expose-headers', exposedHeaders.join(', '));
}

/** Answers what a browser asks before a page sends something: 204. False for other requests. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'OPTIONS') return false;
  if (request.headers.origin !== undefined) {
    response.setHeader('access-control-allow-methods', allowedMethods.join(', '));
    response.setHeader('access-control-allow-headers', withRequested(request).join(', '));
    response.setHeader('access-control-max-age', maxAgeSeconds);
    response.setHeader('vary', 'Origin, Access-Control-Request-Headers');
  }
  response.writeHead(204, { 'cache-control': 'no-store' }).end();
  return true;
}

function withRequested({ headers }: IncomingMessage): string[] {
  const requested = String(headers['access-control-request-headers'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => token.test(name));
  return [...new Set([...allowedHeaders, ...requested])];
}
