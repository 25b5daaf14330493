/**
 * Readers take UTF-8 bytes in blocks and write rows into a sink, byte for byte: a string per cell
 * would cost more than everything else together.
 */

/**
 * What follows a block: `more` bytes; `full`: more bytes, but a row has no more room; `last`:
 * nothing.
 */
export type Rest = 'more' | 'full' | 'last';

export interface BlockReader {
  /**
   * Reads the whole rows of bytes[start, end) and returns where the first unread one begins.
   * `bytes` is longer than `end`, and its byte at `end` may be overwritten. `valid`: the block is
   * UTF-8 throughout; otherwise rows have to be looked at one by one.
   */
  read(bytes: Buffer, start: number, end: number, rest: Rest, valid: boolean): number;
}

/**
 * Where rows are written, in the layout that the database takes. The writer of a row writes its
 * text between `begin…` and `end`.
 */
export interface RowSink {
  /**
   * The buffer of the row that was begun. Writing beyond its end does nothing, and `fits` tells.
   */
  readonly bytes: Uint8Array;
  /**
   * Begins a row whose text goes to `fields`; returns where in `bytes` the text begins. A row that
   * was begun and not ended is forgotten.
   */
  beginFields(): number;
  /** The same for a row whose text goes to `content`. */
  beginContent(): number;
  /**
   * True when a row whose text ends before `at`, with a custom id of so many bytes, fits; otherwise
   * room was made: begin it again.
   */
  fits(at: number, customIdBytes: number): boolean;
  /**
   * Ends the row that was begun, which has this number in the file, from 1. `customId` null: its
   * number serves.
   */
  end(at: number, customId: Uint8Array | null, start: number, end: number, row: number): void;
}
