/** From the bytes of a file to UTF-8. */
import { asItIs, type Transcoder } from './transcoder.ts';
import { UnreadableFile } from './unreadable.ts';
import { utf8OrWindows } from './utf8-or-windows.ts';
import { isUtf32, utf16, utf16Order } from './utf16.ts';

/** Known facts on a file's encoding. */
export interface KnownEncoding {
  /** The file's first bytes (at least 4, or all there are). */
  head: Buffer;
  /** True where `head` is the whole file. */
  isWhole: boolean;
  /** The charset that the file's owner names, which is known. */
  asked: string | null;
  /** The charset of the content type: any text. */
  named: string | null;
  /** Is told what was guessed, decoded or set aside. */
  warn: (sentence: string) => void;
}

const unicodeLabels = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii', 'unicode-1-1-utf-8']);
const orderNames = { little: 'utf-16le', big: 'utf-16be' } as const;

/**
 * The transcoder for a file: by its byte order mark, else by the charset that was asked for or that
 * its content type names, else by what its bytes are. Throws UnreadableFile for a charset that
 * nobody knows, and for one that the bytes cannot be in.
 */
export function createTranscoder({ head, isWhole, asked, named, warn }: KnownEncoding): Transcoder {
  if (isUtf32(head)) {
    throw new UnreadableFile('unsupported', 'The file is UTF-32; save it as UTF-8');
  }
  const marked = byMark(head);
  const label = (asked ?? named)?.toLowerCase() ?? null;
  if (marked) {
    const { encoding } = marked;
    if (asked !== null && new TextDecoder(asked).encoding !== encoding) {
      warn(
        `The file begins with the byte order mark of ${encoding} and was read so; charset=${asked} was set aside`,
      );
    }
    return marked;
  }
  const order = utf16Order(head);
  if (label === null) {
    if (order === null) return utf8OrWindows(head, isWhole, warn);
    warn(
      `The file has no byte order mark, and was read as UTF-16 (${orderNames[order]}) for the looks of its bytes; charset= names another charset`,
    );
    return utf16(order === 'big');
  }
  if (unicodeLabels.has(label)) {
    if (order === null) return asItIs;
    throw new UnreadableFile(
      'invalid',
      `The file is UTF-16 without a byte order mark, and not UTF-8; charset=${orderNames[order]} reads it`,
    );
  }
  if (label === 'utf-16') return utf16(order === 'big');
  if (label === 'utf-16le') return utf16(false);
  if (label === 'utf-16be') return utf16(true);
  return decoding(label);
}

function byMark(head: Buffer): Transcoder | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return skipping(3, asItIs);
  if (head[0] === 0xff && head[1] === 0xfe) return skipping(2, utf16(false));
  if (head[0] === 0xfe && head[1] === 0xff) return skipping(2, utf16(true));
  return null;
}

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
