/** Bytes of any encoding in, UTF-8 out. Without a BOM and a charset, bytes are UTF-8 and pass as they are. */
import { UnreadableFile } from './unreadable.ts';

export interface Transcoder {
  /** The encoding of the bytes, as the API names it. */
  readonly encoding: string;
  /** UTF-8 of the next bytes of the file. */
  push(chunk: Buffer): Buffer;
  /** What was still waiting for its other half. */
  end(): Buffer;
}

const nothing = Buffer.alloc(0);
const unicodeLabels = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii', 'unicode-1-1-utf-8']);

/**
 * The transcoder for a file that begins with `head` (at least 4 bytes, or all there are). A BOM is believed before the charset of
 * the content type. Throws UnreadableFile for a charset that nobody knows.
 */
export function createTranscoder(head: Buffer, charset: string | null): Transcoder {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return skipping(3, asItIs);
  if (head[0] === 0xff && head[1] === 0xfe) return skipping(2, utf16(false));
  if (head[0] === 0xfe && head[1] === 0xff) return skipping(2, utf16(true));
  const label = charset?.toLowerCase() ?? 'utf-8';
  if (unicodeLabels.has(label)) return asItIs;
  if (label === 'utf-16' || label === 'utf-16le') return utf16(false);
  if (label === 'utf-16be') return utf16(true);
  return decoding(label);
}

const asItIs: Transcoder = { encoding: 'utf-8', push: (chunk) => chunk, end: () => nothing };

function skipping(count: number, inner: Transcoder): Transcoder {
  let left = count;
  return {
    encoding: inner.encoding,
    push(chunk) {
      const skipped = Math.min(left, chunk.length);
      left -= skipped;
      return inner.push(chunk.subarray(skipped));
    },
    end: () => inner.end(),
  };
}

/**
 * A unit cut in two waits for its other half, and so does a surrogate pair. A lone surrogate becomes the three bytes that UTF-8 forbids for
 * it, so that its row is rejected like any other that is not UTF-8.
 */
function utf16(bigEndian: boolean): Transcoder {
  let rest = nothing;
  return {
    encoding: bigEndian ? 'utf-16be' : 'utf-16le',
    push(chunk) {
      const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      let end = bytes.length - (bytes.length % 2);
      const high = end >= 2 ? bytes[end - (bigEndian ? 2 : 1)] : undefined;
      if (high !== undefined && (high & 0xfc) === 0xd8) end -= 2;
      rest = Buffer.from(bytes.subarray(end));
      if (end === 0) return nothing;
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
      rest = nothing;
      return encode(last.toString('utf16le'));
    },
  };
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

function decoding(label: string): Transcoder {
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(label, { fatal: true });
  } catch {
    throw new UnreadableFile(
      'unsupported',
      'The charset of the content type is not known; name another by charset=, or save the file as UTF-8',
    );
  }
  const decode = (chunk?: Buffer): Buffer => {
    try {
      return Buffer.from(chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode());
    } catch {
      throw new UnreadableFile(
        'invalid',
        `The file is not in the charset that is named for it (${decoder.encoding}); charset= names another`,
      );
    }
  };
  return { encoding: decoder.encoding, push: (chunk) => decode(chunk), end: () => decode() };
}
