/** Turns chunks into blocks for a reader, and keeps the row that a block ends in for the next. */
import { isUtf8 } from 'node:buffer';
import type { BlockReader, Rest } from './block-reader.ts';
import { rowTooLong } from './unreadable.ts';

/** Bytes behind the end of a block that readers may look at and write into. */
const slack = 16;
const initialBytes = 131_072;

export class Window {
  private bytes = Buffer.allocUnsafeSlow(initialBytes);
  private filled = 0;
  /** Bytes that must come before an unended row is read again: a few times, not once a chunk. */
  private wanted = 0;
  private readonly reader: BlockReader;
  private readonly maxRowBytes: number;

  constructor(reader: BlockReader, maxRowBytes: number) {
    this.reader = reader;
    this.maxRowBytes = maxRowBytes;
  }

  push(chunk: Buffer): void {
    if (this.filled + chunk.length + slack > this.bytes.length) this.grow(chunk.length);
    chunk.copy(this.bytes, this.filled);
    this.filled += chunk.length;
    if (this.filled < this.wanted) return;
    this.read('more');
    while (this.filled > this.maxRowBytes) this.makeRoom();
    this.wanted = this.filled > initialBytes ? Math.min(this.filled * 2, this.maxRowBytes + 1) : 0;
  }

  end(): void {
    this.read('last');
    if (this.filled > 0) throw new Error('a reader has left bytes behind');
  }

  /** The row at the start is longer than allowed. The reader can still find that it was none. */
  private makeRoom(): void {
    const before = this.filled;
    this.read('full');
    if (this.filled < before) return;
    throw rowTooLong(this.maxRowBytes);
  }

  private read(rest: Rest): void {
    const { bytes, filled } = this;
    const valid = isUtf8(
      bytes.subarray(0, rest === 'last' ? filled : wholeCharacters(bytes, filled)),
    );
    const unread = this.reader.read(bytes, 0, filled, rest, valid);
    if (unread > 0) bytes.copyWithin(0, unread, filled);
    this.filled = filled - unread;
  }

  private grow(more: number): void {
    const larger = Buffer.allocUnsafeSlow(
      Math.max(this.bytes.length * 2, this.filled + more + slack),
    );
    this.bytes.copy(larger, 0, 0, this.filled);
    this.bytes = larger;
  }
}

/** Where a character begins that is cut off by `end`; `end` without such a one. */
function wholeCharacters(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 3 && back <= end; back += 1) {
    const byte = bytes[end - back] as number;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? end - back : end;
    }
  }
  return end;
}
