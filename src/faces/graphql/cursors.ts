/**
 * Cursors of lists by key, sealed: keys are given out in one sequence, so that bare ones would show
 * an owner how much others do.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';

/** Lists whose entries are in the order of their keys. */
export type KeyList = 'batches' | 'files';

export interface Cursors {
  /** The same text for the same entry, in all processes that have the same secret. */
  seal(list: KeyList, key: bigint): string;
  /** Null for what is not a cursor of this list. */
  open(list: KeyList, cursor: string): bigint | null;
}

/** One block of AES: the key, and what tells that we made it. */
const blockBytes = 16;
const markBytes = 8;
const sealedText = /^[\w-]{22}$/;

/** `secret` is the key of signed links, base64. */
export function createCursors(secret: string): Cursors {
  const cipherKey = createHmac('sha256', Buffer.from(secret, 'base64')).update('cursors').digest();
  // A block by itself, without a chain: the same objects serve for every cursor.
  const cipher = createCipheriv('aes-256-ecb', cipherKey, null).setAutoPadding(false);
  const decipher = createDecipheriv('aes-256-ecb', cipherKey, null).setAutoPadding(false);
  const markOf = (list: KeyList) => Buffer.from(list.padEnd(markBytes).slice(0, markBytes));

  return {
    seal(list, key) {
      const block = Buffer.alloc(blockBytes);
      markOf(list).copy(block);
      block.writeBigInt64BE(key, markBytes);
      return cipher.update(block).toString('base64url');
    },
    open(list, cursor) {
      if (!sealedText.test(cursor)) return null;
      const block = decipher.update(Buffer.from(cursor, 'base64url'));
      return block.subarray(0, markBytes).equals(markOf(list))
        ? block.readBigInt64BE(markBytes)
        : null;
    },
  };
}
