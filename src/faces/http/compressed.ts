import type { IncomingMessage } from 'node:http';
import { RouteError } from './route-error.ts';

/** Throws RouteError 415. */
export function refuseCompressed({ headers }: IncomingMessage): void {
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (coding === 'identity' || coding === '') return;
  throw new RouteError(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    'The body is compressed (Content-Encoding); send it as it is',
  );
}
