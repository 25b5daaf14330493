/** An upload's body by its headers, before it is read. */
import type { IncomingMessage } from 'node:http';
import { refuseCompressed } from './compressed.ts';
import { maxFormBytes } from './form.ts';
import { RouteError } from './route-error.ts';

/**
 * Throws RouteError 411 without a body, 413 where it is longer than a file and its form may be, 415
 * where it is compressed.
 */
export function checkUploadHeaders(request: IncomingMessage, maxFileBytes: number): void {
  refuseCompressed(request);
  const { headers } = request;
  const length = headers['content-length'];
  if (length === undefined && headers['transfer-encoding'] === undefined) {
    throw new RouteError(
      411,
      'LENGTH_REQUIRED',
      'The request has no body: send the file with a Content-Length, or chunked',
    );
  }
  const maxBytes = maxFileBytes + (isForm(request) ? maxFormBytes : 0);
  if (Number(length) > maxBytes) throw uploadTooLarge(maxFileBytes);
}

export function isForm({ headers }: IncomingMessage): boolean {
  return /^\s*multipart\/form-data\b/i.test(headers['content-type'] ?? '');
}

export function uploadTooLarge(maxFileBytes: number): RouteError {
  return new RouteError(
    413,
    'PAYLOAD_TOO_LARGE',
    `The file has more than ${maxFileBytes.toLocaleString('en')} bytes; split it`,
  );
}
