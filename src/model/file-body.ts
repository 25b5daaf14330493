/** A file of this machine as part of a request's body, read and sent in pieces. */
import type { FileHandle } from 'node:fs/promises';

const chunkBytes = 256 * 1024;

/**
 * The body of `head`, the first `bytes` of the file and `tail`, and its headers. It can be read
 * once. Its length is known beforehand: gateways refuse bodies of unknown length. `rewrite` changes
 * each piece of the file in its place.
 */
export function createFileBody(
  file: FileHandle,
  {
    bytes,
    head,
    tail,
    contentType,
    rewrite,
  }: {
    bytes: number;
    head: Buffer;
    tail: Buffer;
    contentType: string;
    rewrite?: (piece: Buffer) => void;
  },
): { headers: Record<string, string>; body: AsyncIterable<Uint8Array> } {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield head;
    for (let at = 0; at < bytes; ) {
      const length = Math.min(chunkBytes, bytes - at);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) throw new Error('The file became shorter while it was sent.');
      const piece = buffer.subarray(0, bytesRead);
      rewrite?.(piece);
      yield piece;
      at += bytesRead;
    }
    yield tail;
  }

  const contentLength = String(head.length + bytes + tail.length);
  return {
    headers: { 'content-type': contentType, 'content-length': contentLength },
    body: body(),
  };
}
