/**
 * The tokens of an encoding by their bytes. In JavaScript, as all that runs in the counter's thread:
 * a thread that had to compile TypeScript would take 40 MB and 0.2 s more.
 */
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

/**
 * @typedef {object} Vocabulary
 * @property {RegExp} pattern Cuts a text into pieces that no token crosses. Global.
 * @property {(bytes: Uint8Array, start: number, end: number) => number} rankOf The rank of the token
 *   that these bytes are; `noRank` where they are none. What has the least rank is merged first.
 */

export const noRank = 0x7fffffff;

/**
 * Reads vocabularies/<name>.br, of which test/seed/pack-vocabularies.ts says how it is made: the
 * pattern, the length of each token by rank (0: none has it), and all tokens in one.
 *
 * @param {string} name
 * @returns {Vocabulary}
 */
export function readVocabulary(name) {
  const packed = readFileSync(new URL(`vocabularies/${name}.br`, import.meta.url));
  const data = brotliDecompressSync(packed);
  const patternEnd = 8 + data.readUInt32LE(0);
  const count = data.readUInt32LE(4);
  const pattern = data.toString('utf8', 8, patternEnd);
  const lengths = new Uint16Array(count);
  for (let rank = 0; rank < count; rank += 1) {
    lengths[rank] = data.readUInt16LE(patternEnd + 2 * rank);
  }
  const tokens = data.subarray(patternEnd + 2 * count);
  return { pattern: new RegExp(pattern, 'ug'), rankOf: createRanks(lengths, tokens) };
}

/**
 * A table of ranks in place of a Map of 200,000 strings: a tenth of its size.
 *
 * @param {Uint16Array} lengths
 * @param {Uint8Array} tokens
 * @returns {Vocabulary['rankOf']}
 */
function createRanks(lengths, tokens) {
  const ends = new Uint32Array(lengths.length);
  // At most half full.
  const mask = 2 ** Math.ceil(Math.log2(lengths.length * 2)) - 1;
  /** Rank + 1, at the hash of its token or behind it. */
  const table = new Uint32Array(mask + 1);
  let longest = 0;
  let end = 0;
  for (let rank = 0; rank < lengths.length; rank += 1) {
    const length = lengths[rank] ?? 0;
    end += length;
    ends[rank] = end;
    if (length === 0) continue;
    longest = Math.max(longest, length);
    let at = hashOf(tokens, end - length, end) & mask;
    while (table[at] !== 0) at = (at + 1) & mask;
    table[at] = rank + 1;
  }

  return (bytes, start, stop) => {
    const length = stop - start;
    if (length > longest) return noRank;
    for (let at = hashOf(bytes, start, stop) & mask; ; at = (at + 1) & mask) {
      const rank = Number(table[at]) - 1;
      if (rank < 0) return noRank;
      if (lengths[rank] !== length) continue;
      const begin = Number(ends[rank]) - length;
      let same = 0;
      while (same < length && tokens[begin + same] === bytes[start + same]) same += 1;
      if (same === length) return rank;
    }
  };
}

/**
 * FNV-1a.
 *
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 */
function hashOf(bytes, start, end) {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) {
    hash = Math.imul(hash ^ Number(bytes[at]), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
