/**
 * A file of this machine as the body of an upload, multipart/form-data (RFC 7578), with its length
 * known beforehand: gateways refuse bodies of unknown length, and a form of the platform's own
 * would need the file as a Blob.
 */
import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

const chunkBytes = 256 * 1024;

/** `fields` and names are ours, of characters that need no escape. The body can be read once. */
export async function createUpload(
  file: FileHandle,
  { name, fields }: { name: string; fields: Readonly<Record<string, string>> },
): Promise<{ headers: Record<string, string>; body: AsyncIterable<Uint8Array> }> {
  const { size } = await file.stat();
  const boundary = `winnow-${randomUUID()}`;
  const part = (header: string) => `--${boundary}\r\ncontent-disposition: form-data; ${header}\r\n`;
  const plain = Object.entries(fields).map(
    ([field, value]) => `${part(`name="${field}"`)}\r\n${value}\r\n`,
  );
  const head = Buffer.from(
    `${plain.join('')}${part(`name="file"; filename="${name}"`)}content-type: application/jsonl\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);

  async function* body(): AsyncGenerator<Uint8Array> {
    yield head;
    for (let at = 0; at < size; ) {
      const length = Math.min(chunkBytes, size - at);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) throw new Error('The file became shorter while it was sent.');
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
    yield tail;
  }

  return {
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + size + tail.length),
    },
    body: body(),
  };
}
