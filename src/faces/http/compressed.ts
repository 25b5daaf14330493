import type { IncomingMessage } from 'node:http';
import { RouteError } from './route-error.ts';

export const compressedProblem = 'The body is compressed (Content-Encoding); send it as it is';

/** True where a body with this Content-Encoding must be unpacked before it can be read. */
export function isCompressed(contentEncoding = 'identity'): boolean {
  const coding = contentEncoding.trim().toLowerCase();
  return coding !== 'identity' && coding !== '';
}

/** Throws RouteError 415. */
export function refuseCompressed({ headers }: IncomingMessage): void {
  if (!isCompressed(headers['content-encoding'])) return;
  throw new RouteError(415, 'UNSUPPORTED_MEDIA_TYPE', compressedProblem);
}
