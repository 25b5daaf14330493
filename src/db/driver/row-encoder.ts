/**
 * Rows in the binary layout of COPY
 * (https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4): text goes in as it is, with
 * its length before it, so that nothing is escaped here and nothing unescaped there.
 */

/** The columns that rows come in, in this order. */
export const encodedColumns = 'file_key, index, content, fields, custom_id, row';

/**
 * Pieces of this size are handed to the connection: large enough to cost nothing each, small enough
 * to hold several.
 */
const pieceBytes = 131_072;
/** A row begins in a new piece when less than this is left in the old one. */
const minRoomBytes = 4_096;
/** Pieces that are kept to be written again. */
const maxSpares = 4;

const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const trailer = Buffer.from([0xff, 0xff]);

/** Bytes from the start of a row to its index, to its content and to its fields. */
const indexAt = 18;
const contentAt = 26;
const fieldsAt = 30;

/** Rows of one file, numbered from 0 as they are ended. */
export class RowEncoder {
  bytes: Buffer;
  private filled: number;
  private index = 0;
  private isFields = true;
  private pieces: Buffer[] = [];
  private readonly spares: Buffer[] = [];
  private readonly head: Buffer;

  constructor(fileKey: bigint) {
    this.bytes = Buffer.allocUnsafeSlow(pieceBytes);
    this.filled = signature.copy(this.bytes);
    this.head = Buffer.alloc(indexAt);
    this.head.writeInt16BE(6, 0);
    this.head.writeInt32BE(8, 2);
    this.head.writeBigInt64BE(fileKey, 6);
    this.head.writeInt32BE(4, 14);
  }

  /** Begins a row whose text is its fields. Returns where the text goes in `bytes`. */
  beginFields(): number {
    this.begin();
    this.isFields = true;
    setInt32(this.bytes, this.filled + contentAt - 4, -1);
    return this.filled + fieldsAt;
  }

  /** Begins a row whose text is its content. */
  beginContent(): number {
    this.begin();
    this.isFields = false;
    return this.filled + contentAt;
  }

  private begin(): void {
    if (this.bytes.length - this.filled < minRoomBytes) this.nextPiece(pieceBytes);
    const { bytes, filled, head } = this;
    for (let at = 0; at < indexAt; at += 1) bytes[filled + at] = head[at] as number;
    setInt32(bytes, filled + indexAt, this.index);
  }

  /** False when the row did not fit: there is a larger buffer then; begin it again. */
  fits(at: number, customIdBytes: number): boolean {
    const end = at + 16 + customIdBytes;
    if (end <= this.bytes.length) return true;
    this.nextPiece(Math.max(pieceBytes, end - this.filled + minRoomBytes));
    return false;
  }

  /**
   * Ends the row whose text ends before `at`. Its custom id is customId[start, end), or null. Its
   * number in the file is kept where it is not the one behind its index, as it is until a row is
   * left out.
   */
  end(at: number, customId: Uint8Array | null, start: number, end: number, row: number): void {
    const { bytes, filled } = this;
    let to = at;
    if (this.isFields) {
      setInt32(bytes, filled + fieldsAt - 4, at - filled - fieldsAt);
    } else {
      setInt32(bytes, filled + contentAt - 4, at - filled - contentAt);
      setInt32(bytes, to, -1);
      to += 4;
    }
    setInt32(bytes, to, customId === null ? -1 : end - start);
    to += 4;
    if (customId !== null) {
      for (let from = start; from < end; from += 1) bytes[to++] = customId[from] as number;
    }
    this.index += 1;
    if (row === this.index) {
      setInt32(bytes, to, -1);
      to += 4;
    } else {
      setInt32(bytes, to, 4);
      setInt32(bytes, to + 4, row);
      to += 8;
    }
    this.filled = to;
  }

  private nextPiece(size: number): void {
    if (this.filled > 0) this.pieces.push(this.bytes.subarray(0, this.filled));
    const spare = size === pieceBytes ? this.spares.pop() : undefined;
    this.bytes = spare ?? Buffer.allocUnsafeSlow(size);
    this.filled = 0;
  }

  /**
   * Gives back a piece whose bytes have been sent: to allocate and collect all pieces would take a
   * tenth of the time of an ingest.
   */
  recycle(piece: Buffer): void {
    if (this.spares.length < maxSpares && piece.buffer.byteLength === pieceBytes) {
      this.spares.push(Buffer.from(piece.buffer));
    }
  }

  /** The pieces that are full, to be sent in this order. */
  take(): Buffer[] {
    const { pieces } = this;
    if (pieces.length > 0) this.pieces = [];
    return pieces;
  }

  /** The last pieces. No row may be begun behind them. */
  finish(): Buffer[] {
    return [...this.take(), this.bytes.subarray(0, this.filled), trailer];
  }
}

function setInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
