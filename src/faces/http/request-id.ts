import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Text that may stand in a header, a line of the log and a message without doing anything there.
 */
const validId = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * A request's name in its answer and in the log: a plain `x-request-id`, else a new one, which
 * begins with `prefix`.
 */
export function requestIdOf(headers: IncomingHttpHeaders, prefix = ''): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && validId.test(given) ? given : `${prefix}${randomUUID()}`;
}
