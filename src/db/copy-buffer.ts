/**
 * The rows that a COPY selects, held in its binary format while they are read.
 * https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"
 */

/** Signature, flags, and the length of an extension that does not exist. */
export const headerBytes = 19;
/** The number of columns of the row behind the last. */
export const trailer = -1;
/** The size of a value that is null. */
export const nullSize = -1;

/**
 * Memory that is written again and again, so that an export of gigabytes leaves no garbage of that
 * size.
 */
export class CopyBuffer {
  bytes = Buffer.alloc(0);
  length = 0;

  /** Forgets what is in it, and gives back memory that `bytes` are far too much for. */
  clear(bytes: number): void {
    this.length = 0;
    if (this.bytes.length > 4 * bytes) this.bytes = Buffer.alloc(0);
  }

  /**
   * Takes in all of a COPY. False where it is more than `maxBytes`: then nothing here is of use.
   */
  async fill(copied: AsyncIterable<Buffer>, maxBytes: number): Promise<boolean> {
    for await (const piece of copied) {
      if (this.length + piece.length > maxBytes) return false;
      this.append(piece);
    }
    return true;
  }

  private append(piece: Buffer): void {
    const length = this.length + piece.length;
    if (length > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.bytes.length, 65_536));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    piece.copy(this.bytes, this.length);
    this.length = length;
  }
}

// Buffer's own methods check their arguments, sixty times a row.

export function readInt16(bytes: Uint8Array, at: number): number {
  return (((bytes[at] as number) << 24) >> 16) | (bytes[at + 1] as number);
}

export function readInt32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
