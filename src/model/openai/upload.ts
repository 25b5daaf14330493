/**
 * A file of this machine as the body of an upload, multipart/form-data (RFC 7578). A form of the
 * platform's own would need the file as a Blob.
 */
import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { createFileBody } from '../file-body.ts';

/** `fields` and names are ours, of characters that need no escape. The body can be read once. */
export async function createUpload(
  file: FileHandle,
  { name, fields }: { name: string; fields: Readonly<Record<string, string>> },
): Promise<ReturnType<typeof createFileBody>> {
  const { size } = await file.stat();
  const boundary = `winnow-${randomUUID()}`;
  const part = (header: string) => `--${boundary}\r\ncontent-disposition: form-data; ${header}\r\n`;
  const plain = Object.entries(fields).map(
    ([field, value]) => `${part(`name="${field}"`)}\r\n${value}\r\n`,
  );
  const fileHead = `${part(`name="file"; filename="${name}"`)}content-type: application/jsonl\r\n\r\n`;
  return createFileBody(file, {
    bytes: size,
    head: Buffer.from(plain.join('') + fileHead),
    tail: Buffer.from(`\r\n--${boundary}--\r\n`),
    contentType: `multipart/form-data; boundary=${boundary}`,
  });
}
