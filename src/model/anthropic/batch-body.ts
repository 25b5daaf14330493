/**
 * A file of requests, a line each, as the body that creates a batch, `{"requests":[…]}`, read and
 * sent in pieces. Its length is known beforehand: gateways refuse bodies of unknown length.
 */
import type { FileHandle } from 'node:fs/promises';

const head = Buffer.from('{"requests":[');
const tail = Buffer.from(']}');
const newline = 10;
const comma = 44;
const chunkBytes = 256 * 1024;

/** Bytes of the body without the lines and the commas between them. */
export const framingBytes = head.length + tail.length;

/**
 * The lines are JSON without line breaks and each ends in one, so every newline but the last is a
 * comma of the list. The body can be read once.
 */
export async function createBatchBody(
  file: FileHandle,
): Promise<{ headers: Record<string, string>; body: AsyncIterable<Uint8Array> }> {
  const { size } = await file.stat();
  const end = Math.max(0, size - 1);

  async function* body(): AsyncGenerator<Uint8Array> {
    yield head;
    for (let at = 0; at < end; ) {
      const length = Math.min(chunkBytes, end - at);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) throw new Error('The file became shorter while it was sent.');
      const chunk = buffer.subarray(0, bytesRead);
      for (let i = chunk.indexOf(newline); i >= 0; i = chunk.indexOf(newline, i + 1))
        chunk[i] = comma;
      yield chunk;
      at += bytesRead;
    }
    yield tail;
  }

  return {
    headers: {
      'content-type': 'application/json',
      'content-length': String(framingBytes + end),
    },
    body: body(),
  };
}
