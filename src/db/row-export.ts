/** Rows of a file for downloads of any size: a range of indexes a statement, through COPY. */
import {
  type CopyBuffer,
  headerBytes,
  nullSize,
  readInt16,
  readInt32,
  trailer,
} from './copy-buffer.ts';
import { type Copy, copySql } from './driver/copy.ts';

/** A stored row, as byte strings: a character, of 0 to 255, for each byte of UTF-8. */
export interface ExportedRow {
  content: string | null;
  fields: string | null;
}

/**
 * Reads the rows [first, last] of a file into an empty buffer, in order. False when they hold more
 * than `maxBytes`: then what is in the buffer is of no use.
 */
export async function readRowRange(
  copy: Copy,
  { fileKey, first, last }: { fileKey: bigint; first: number; last: number },
  { buffer, maxBytes }: { buffer: CopyBuffer; maxBytes: number },
): Promise<boolean> {
  const query = copySql`
    select content, fields from rows
    where file_key = ${fileKey} and index between ${first} and ${last} order by index`;
  return await buffer.fill(copy.out(query), maxBytes);
}

/** The rows in a buffer that `readRowRange` has filled. */
export function* rowsIn({ bytes, length }: CopyBuffer): Generator<ExportedRow, void, undefined> {
  let at = headerBytes;
  const next = (): string | null => {
    const size = readInt32(bytes, at);
    at += 4;
    if (size === nullSize) return null;
    at += size;
    return bytes.toString('latin1', at - size, at);
  };
  while (at < length && readInt16(bytes, at) !== trailer) {
    at += 2;
    yield { content: next(), fields: next() };
  }
}
