/** A multipart/form-data body that lies in memory, cut into its parts without a copy. RFC 7578. */
import { ApiError } from '../api-error.ts';

export interface Part {
  name: string;
  /** Null for a plain field. */
  filename: string | null;
  content: Buffer;
}

const headerEnd = Buffer.from('\r\n\r\n');
const dashes = 45 * 256 + 45;

/** Throws a 400 for any body but multipart/form-data. */
export function readMultipart(body: Buffer, contentType: string | undefined): Part[] {
  const stated = /^multipart\/form-data;.*\bboundary=(?:"([^"]{1,200})"|([^\s;]{1,200}))/i.exec(
    contentType ?? '',
  );
  if (!stated) throw malformed('expected Content-Type multipart/form-data with a boundary');
  const delimiter = Buffer.from(`--${stated[1] ?? stated[2]}`);
  const separator = Buffer.concat([Buffer.from('\r\n'), delimiter]);
  const parts: Part[] = [];
  let at = body.indexOf(delimiter);
  if (at < 0) throw malformed('the boundary does not occur in the body');
  at += delimiter.length;
  while (!(at + 2 <= body.length && body.readUInt16BE(at) === dashes)) {
    const headersEnd = body.indexOf(headerEnd, at);
    if (headersEnd < 0) throw malformed('a part has no headers');
    const from = headersEnd + headerEnd.length;
    const to = body.indexOf(separator, headersEnd + 2);
    if (to < 0) throw malformed('the last part has no end');
    parts.push({
      ...readDisposition(body.toString('utf8', at, headersEnd)),
      content: body.subarray(from, Math.max(from, to)),
    });
    at = to + separator.length;
  }
  return parts;
}

function readDisposition(headers: string): Omit<Part, 'content'> {
  const line = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? '';
  const name = /;\s*name="([^"]*)"/i.exec(line)?.[1];
  if (name === undefined) throw malformed('a part has no name');
  return { name, filename: /;\s*filename="([^"]*)"/i.exec(line)?.[1] ?? null };
}

function malformed(why: string): ApiError {
  return new ApiError(`Could not parse multipart form: ${why}.`);
}
