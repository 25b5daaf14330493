/**
 * Which row had a custom id before, in 10 bytes an id instead of the hundred of a Set of strings:
 * an open-addressing table of keyed hashes. A place in the large table is 20 bits of the hash, and
 * 32 more are kept there. Two ids may be taken for one, so that a hit is a candidate that somebody
 * verifies.
 *
 * The hash is HalfSipHash-1-3 (https://github.com/veorq/SipHash) under a key of its own for each
 * table. So nobody can write a file whose ids all fall into one place.
 */
import { randomBytes } from 'node:crypto';

const smallCapacity = 16_384;
const maxLoad = 0.8;

export class IdTable {
  /** A few ids, to begin with. */
  private small: Uint32Array | null = new Uint32Array(3 * smallCapacity);
  /**
   * For each place 32 bits of the hash (0: the place is free) and the row. Apart, since a look at
   * the bits alone is what most ids take, and each look is a cache miss. As large as it can be
   * needed from the start: bits that were not kept cannot be placed again.
   */
  private bits = new Uint32Array(0);
  private rows = new Uint32Array(0);
  private count = 0;
  private readonly capacity: number;
  private readonly key = new Uint32Array(2);
  private hashLow = 0;
  private hashHigh = 0;

  /** For up to `maxIds` ids. */
  constructor(maxIds: number) {
    this.capacity = Math.ceil(maxIds / maxLoad) + 1;
    const key = randomBytes(8);
    this.key[0] = key.readUInt32LE(0);
    this.key[1] = key.readUInt32LE(4);
  }

  /** Enters the id bytes[start, end) of a row (from 1). Returns a row of the same hash, or 0. */
  enter(bytes: Uint8Array, start: number, end: number, row: number): number {
    this.hash(bytes, start, end);
    const { small, hashLow, hashHigh } = this;
    if (small === null) return this.enterLarge(hashLow, hashHigh, row);
    let at = 3 * placeOf(hashHigh, smallCapacity);
    for (let there = small[at] as number; there !== 0; there = small[at] as number) {
      if (small[at + 1] === hashLow && small[at + 2] === hashHigh) return there;
      at += 3;
      if (at === small.length) at = 0;
    }
    small[at] = row;
    small[at + 1] = hashLow;
    small[at + 2] = hashHigh;
    this.count += 1;
    if (this.count >= smallCapacity * maxLoad) this.grow(small);
    return 0;
  }

  private enterLarge(hashLow: number, hashHigh: number, row: number): number {
    const { bits, rows, capacity } = this;
    const kept = hashLow === 0 ? 1 : hashLow;
    let at = placeOf(hashHigh, capacity);
    for (let there = bits[at] as number; there !== 0; there = bits[at] as number) {
      if (there === kept) return rows[at] as number;
      at = at + 1 === capacity ? 0 : at + 1;
    }
    bits[at] = kept;
    rows[at] = row;
    return 0;
  }

  private grow(small: Uint32Array): void {
    this.bits = new Uint32Array(this.capacity);
    this.rows = new Uint32Array(this.capacity);
    for (let from = 0; from < small.length; from += 3) {
      const row = small[from] as number;
      if (row !== 0) this.enterLarge(small[from + 1] as number, small[from + 2] as number, row);
    }
    this.small = null;
  }

  /** Sets hashLow and hashHigh. */
  private hash(bytes: Uint8Array, start: number, end: number): void {
    const k0 = this.key[0] as number;
    const k1 = this.key[1] as number;
    let v0 = k0 | 0;
    let v1 = (k1 ^ 0xee) | 0;
    let v2 = (0x6c796765 ^ k0) | 0;
    let v3 = (0x74656462 ^ k1) | 0;
    let finish = 0;
    const words = end - ((end - start) & 3);
    for (let at = start; finish < 7; at += 4) {
      let word: number;
      if (at < words) {
        word =
          (bytes[at] as number) |
          ((bytes[at + 1] as number) << 8) |
          ((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 24);
      } else {
        // A round for the bytes left over and the length, three for each half of the 64 bits.
        word = 0;
        if (finish === 0) {
          word = (end - start) << 24;
          for (let left = 0; at + left < end; left += 1) {
            word |= (bytes[at + left] as number) << (8 * left);
          }
        } else if (finish === 1) {
          v2 ^= 0xee;
        } else if (finish === 4) {
          this.hashLow = (v1 ^ v3) >>> 0;
          v1 ^= 0xdd;
        }
        finish += 1;
      }
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.hashHigh = (v1 ^ v3) >>> 0;
  }
}

/** Spreads 32 bits evenly over a capacity that is not a power of two. */
function placeOf(hash: number, capacity: number): number {
  return Math.floor((hash / 4_294_967_296) * capacity);
}
