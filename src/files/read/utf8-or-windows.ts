/**
 * Bytes that nobody says anything about are UTF-8; where the first above 127 are none, they are
 * Windows-1252, in which Excel writes CSV in half of Europe. A file that also has real characters
 * of UTF-8 is never decoded: rows that are not UTF-8 are refused one by one.
 */
import { isAscii } from 'node:buffer';
import { asItIs, noBytes, type Transcoder } from './transcoder.ts';
import { UnreadableFile } from './unreadable.ts';

/** Bytes that Windows-1252 has no character for. */
const undefinedBytes: ReadonlySet<number> = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
/**
 * Characters that follow a letter in prose: quotes, dots, dashes, no-break spaces. Behind a letter
 * with an accent they can look like UTF-8.
 */
const punctuation: ReadonlySet<number> = new Set([
  0x82, 0x84, 0x85, 0x91, 0x92, 0x93, 0x94, 0x96, 0x97, 0x9b, 0xa0, 0xab, 0xbb,
]);
/**
 * So many bytes above 127 in a row are no word of Western Europe, and so many such words no
 * accident.
 */
const foreignRun = 5;
const foreignRuns = 3;

/** `warn` is told of Windows-1252. `head` begins the file, and is all of it where `isWhole`. */
export function utf8OrWindows(
  head: Buffer,
  isWhole: boolean,
  warn: (sentence: string) => void,
): Transcoder {
  let inner = decide(head, isWhole);
  /** The beginning of a character whose rest is not there. */
  let rest = noBytes;

  function decide(bytes: Buffer, isLast: boolean): Transcoder | null {
    const verdict = judge(bytes, isLast);
    if (verdict === null) return null;
    if (verdict === 'utf-8') return asItIs;
    warn(
      'The bytes of the file are no UTF-8 and were read as Windows-1252, as Excel writes it; charset= names another charset',
    );
    return windows1252();
  }

  return {
    get encoding() {
      return inner?.encoding ?? 'utf-8';
    },
    push(chunk) {
      if (inner) return inner.push(chunk);
      if (rest.length === 0 && isAscii(chunk)) return chunk;
      const bytes = Buffer.concat([rest, chunk]);
      inner = decide(bytes, false);
      if (inner) return inner.push(bytes);
      const begun = bytes.findIndex((byte) => byte > 0x7f);
      rest = bytes.subarray(begun);
      return bytes.subarray(0, begun);
    },
    end() {
      if (!inner && rest.length > 0) {
        inner = decide(rest, true) ?? asItIs;
        return Buffer.concat([inner.push(rest), inner.end()]);
      }
      return inner?.end() ?? noBytes;
    },
  };
}

/** The kind of the bytes above 127; null before the first whole character of that kind. */
function judge(bytes: Buffer, isLast: boolean): 'utf-8' | 'windows-1252' | null {
  let isFirst = true;
  let canDecode = true;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      at += 1;
      continue;
    }
    const length = characterLength(bytes, at);
    if (length < 0 && !isLast) break;
    // The first is a character: what is none behind it is a row's own fault.
    if (length > 0 && (isFirst || isReal(bytes, at, length))) return 'utf-8';
    isFirst = false;
    if (undefinedBytes.has(byte)) canDecode = false;
    at += Math.max(length, 1);
  }
  if (isFirst) return null;
  return canDecode ? 'windows-1252' : 'utf-8';
}

/** Decodes, and refuses the file once it is plain that it is something else. */
function windows1252(): Transcoder {
  const decoder = new TextDecoder('windows-1252');
  let rest = noBytes;
  const counts = { letters: 0, high: 0, runs: 0, run: new Set<number>(), runLength: 0 };

  /** Looks at bytes[0, end), and returns how far it came: a character may be cut. */
  function look(bytes: Buffer, isLast: boolean): number {
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      if (byte < 0x80) {
        if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) counts.letters += 1;
        endRun();
        at += 1;
        continue;
      }
      const length = characterLength(bytes, at);
      if (length < 0 && !isLast) return at;
      if (length > 0 && isReal(bytes, at, length)) throw mixed('has real UTF-8 characters too');
      if (undefinedBytes.has(byte)) {
        throw mixed(`has the byte ${byte.toString(16)}, which Windows-1252 has no character for`);
      }
      counts.high += 1;
      counts.runLength += 1;
      counts.run.add(byte);
      at += 1;
    }
    return at;
  }

  function endRun(): void {
    if (counts.runLength >= foreignRun && counts.run.size > 2) counts.runs += 1;
    counts.runLength = 0;
    if (counts.run.size > 0) counts.run.clear();
    if (counts.runs >= foreignRuns && counts.high > counts.letters) {
      throw mixed('does not look like Windows-1252 either');
    }
  }

  function decode(chunk: Buffer, isLast: boolean): Buffer {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const end = look(bytes, isLast);
    rest = Buffer.from(bytes.subarray(end));
    return Buffer.from(decoder.decode(bytes.subarray(0, end), { stream: true }));
  }

  return {
    encoding: 'windows-1252',
    push: (chunk) => decode(chunk, false),
    end() {
      const last = decode(noBytes, true);
      endRun();
      return last;
    },
  };
}

function mixed(problem: string): UnreadableFile {
  return new UnreadableFile(
    'invalid',
    `The file is not valid UTF-8, and ${problem}; say by charset= what it is: charset=utf-8 refuses the rows that are not, charset=windows-1252, shift_jis, gb18030 and others read it so`,
  );
}

/** Bytes of the character, or lone surrogate, at `at`; 0 without one, -1 where the bytes end. */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] as number;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0) return 0;
  for (let offset = 1; offset < length; offset += 1) {
    const byte = bytes[at + offset];
    if (byte === undefined) return -1;
    if (byte < 0x80 || byte > 0xbf) return 0;
  }
  const second = bytes[at + 1] as number;
  if (lead === 0xe0 && second < 0xa0) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  if (lead === 0xf4 && second > 0x8f) return 0;
  return length;
}

/** True where no Windows-1252 text has these bytes: Ã© and â€™ are UTF-8 taken for it. */
function isReal(bytes: Buffer, at: number, length: number): boolean {
  const lead = bytes[at] as number;
  if (lead === 0xc2 || lead === 0xc3 || lead === 0xe2 || lead === 0xed || length === 4) return true;
  for (let offset = 1; offset < length; offset += 1) {
    if (!punctuation.has(bytes[at + offset] as number)) return true;
  }
  return false;
}
