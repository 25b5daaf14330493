/** A file of requests, a line each, as the body that creates a batch, `{"requests":[…]}`. */
import type { FileHandle } from 'node:fs/promises';
import { createFileBody } from '../file-body.ts';

const head = Buffer.from('{"requests":[');
const tail = Buffer.from(']}');
const newline = 10;
const comma = 44;

/** Bytes of the body without the lines and the commas between them. */
export const framingBytes = head.length + tail.length;

/** Lines have no other line breaks: every newline but the last is a comma of the list. */
export async function createBatchBody(
  file: FileHandle,
): Promise<ReturnType<typeof createFileBody>> {
  const { size } = await file.stat();
  return createFileBody(file, {
    bytes: Math.max(0, size - 1),
    head,
    tail,
    contentType: 'application/json',
    rewrite(piece) {
      for (let at = piece.indexOf(newline); at >= 0; at = piece.indexOf(newline, at + 1))
        piece[at] = comma;
    },
  });
}
