/** UTF-16 of either byte order, and how it is told from other bytes where no mark tells it. */
import { isUtf8 } from 'node:buffer';
import { noBytes, type Transcoder } from './transcoder.ts';
import { UnreadableFile } from './unreadable.ts';

/** Bytes of a file that are looked at. */
const lookedAt = 4_096;

/**
 * A unit cut in two waits for its other half, and so does a surrogate pair. A lone surrogate
 * becomes the three bytes that UTF-8 forbids for it, so that its row is rejected like any other
 * that is not UTF-8.
 */
export function utf16(bigEndian: boolean): Transcoder {
  let rest = noBytes;
  return {
    encoding: bigEndian ? 'utf-16be' : 'utf-16le',
    push(chunk) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      let end = bytes.length - (bytes.length % 2);
      const high = end >= 2 ? bytes[end - (bigEndian ? 2 : 1)] : undefined;
      if (high !== undefined && (high & 0xfc) === 0xd8) end -= 2;
      rest = Buffer.from(bytes.subarray(end));
      if (end === 0) return noBytes;
      const whole = Buffer.from(bytes.subarray(0, end));
      return encode((bigEndian ? whole.swap16() : whole).toString('utf16le'));
    },
    end() {
      if (rest.length % 2 === 1) {
        throw new UnreadableFile(
          'invalid',
          'The file is UTF-16, but ends in the middle of a character',
        );
      }
      const last = bigEndian ? Buffer.from(rest).swap16() : rest;
      rest = noBytes;
      return encode(last.toString('utf16le'));
    },
  };
}

/** The byte order of a file whose `head` can only be UTF-16; null for every other. */
export function utf16Order(head: Buffer): 'little' | 'big' | null {
  const sample = head.subarray(0, Math.min(head.length - (head.length % 2), lookedAt));
  let even = 0;
  let odd = 0;
  for (const [at, byte] of sample.entries()) {
    if (byte >= firstOfNoAlphabet) continue;
    if (at % 2 === 0) even += 1;
    else odd += 1;
  }
  // Half of each letter of an alphabet is such a byte, and nearly always the same half.
  const bigEndian = even > odd;
  const most = Math.max(even, odd);
  const others = Math.min(even, odd);
  // Text of other scripts has few such letters, but is not UTF-8 either; a text in UTF-8 may have a
  // NUL or two.
  const isLikely = isCutUtf8(sample)
    ? most >= 0.4 * sample.length && others <= most / 8
    : others <= most / 2;
  if (!isLikely || most < 2) return null;
  const units = bigEndian ? Buffer.from(sample).swap16() : sample;
  const text = units.toString('utf16le');
  // A surrogate pair may be cut at the end. Noncharacters and private use are in no text.
  const isWellFormed = text.isWellFormed() || text.slice(0, -1).isWellFormed();
  if (!isWellFormed || /[\p{Co}\p{Cn}]/u.test(text)) return null;
  return bigEndian ? 'big' : 'little';
}

/**
 * The upper halves of all letters from Latin to Arabic are below it, and no character of text is.
 */
const firstOfNoAlphabet = 0x09;

/** True where bytes are UTF-8, whose last character may be cut. */
function isCutUtf8(bytes: Buffer): boolean {
  const end = Math.max(bytes.length - 3, 0);
  const lead = bytes.subarray(end).findLastIndex((byte) => byte >= 0xc0);
  return isUtf8(bytes) || (lead >= 0 && isUtf8(bytes.subarray(0, end + lead)));
}

/** True where a file is UTF-32, which is not read: by its mark, or by three NULs to each letter. */
export function isUtf32(head: Buffer): boolean {
  if (head.length % 4 !== 0 && head.length < lookedAt) return false;
  const mark = head.toString('latin1', 0, 4);
  if (mark === '\xff\xfe\0\0' || mark === '\0\0\xfe\xff') return true;
  const units = Math.min(Math.floor(head.length / 4), lookedAt);
  if (units < 2) return false;
  const isUnits = (read: (at: number) => number) => {
    for (let unit = 0; unit < units; unit += 1) {
      const code = read(4 * unit);
      // Nothing follows; a letter and a line break in UTF-16 would be.
      if (code === 0 || code >= 0x4_00_00) return false;
    }
    return true;
  };
  return isUnits((at) => head.readUInt32LE(at)) || isUnits((at) => head.readUInt32BE(at));
}

function encode(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const pieces: Buffer[] = [];
  for (const piece of text.split(/(\p{Surrogate})/u)) {
    const unit = piece.length === 1 ? piece.charCodeAt(0) : 0;
    pieces.push(
      unit >= 0xd800 && unit <= 0xdfff
        ? Buffer.from([0xed, 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)])
        : Buffer.from(piece),
    );
  }
  return Buffer.concat(pieces);
}
