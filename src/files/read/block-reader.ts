/**
 * Readers take UTF-8 bytes in blocks and write rows into a sink, byte for byte: a string per cell
 * would cost more than everything else together.
 */

/**
 * The rest behind a block: `more` bytes; `full`: more, but the row has no room; `last`: nothing.
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
  /** The buffer of the begun row. Writing beyond its end does nothing, and `fits` tells. */
  readonly bytes: Uint8Array;
  /** Begins a row of `fields`; returns where its text begins. Forgets a row that was not ended. */
  beginFields(): number;
  /** The same for a row whose text goes to `content`. */
  beginContent(): number;
  /** True when a row up to `at` with such an id fits; else room was made: begin it again. */
  fits(at: number, customIdBytes: number): boolean;
  /** Ends the begun row, of this number in the file, from 1. `customId` null: the number serves. */
  end(at: number, customId: Uint8Array | null, start: number, end: number, row: number): void;
}
