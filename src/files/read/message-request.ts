/** The marks of a request of a message batch. */
import { nullByte, openBrace, quoteByte } from './bytes.ts';
import { decodeString } from './json-bytes.ts';
import type { JsonScanner } from './json-scanner.ts';
import { UnreadableFile } from './unreadable.ts';

const validId = /^[a-zA-Z0-9_-]{1,64}$/;

interface RequestMembers {
  /** Numbers of the scanner's members; -1 for one that is not there. */
  id: number;
  params: number;
}

/** The two members of the request whose members the scanner has. */
export function findMembers(bytes: Buffer, scanner: JsonScanner): RequestMembers {
  let [id, params] = [-1, -1];
  for (let member = 0; member < scanner.members; member += 1) {
    const key = scanner.keyStart[member] as number;
    const name = textOf(bytes, key - 1, (scanner.keyEnd[member] as number) + 1);
    // The last one of a name counts, as for JSON.parse.
    if (name === 'custom_id') id = member;
    else if (name === 'params') params = member;
  }
  return { id, params };
}

/** Throws UnreadableFile, whose message begins with `place`. */
export function readCustomId(
  bytes: Buffer,
  scanner: JsonScanner,
  { id, place }: { id: number; place: string },
): string {
  const [start, end] = [scanner.valueStart[id] ?? 0, scanner.valueEnd[id] ?? 0];
  const isText = id >= 0 && bytes[start] === quoteByte;
  const customId = isText ? textOf(bytes, start, end) : '';
  if (validId.test(customId)) return customId;
  throw refused(`${place}.custom_id: must be 1 to 64 letters, digits, _ and -`);
}

/** Throws UnreadableFile, whose message begins with `place`. */
export function checkParams(
  bytes: Buffer,
  scanner: JsonScanner,
  { params, place }: { params: number; place: string },
): void {
  const start = scanner.valueStart[params] ?? 0;
  if (params < 0 || bytes[start] !== openBrace) {
    throw refused(`${place}.params: must be an object`);
  }
  if (!hasMaxTokens(bytes, scanner, start, scanner.valueEnd[params] as number)) {
    throw refused(`${place}.params.max_tokens: must be the most tokens that an answer may have`);
  }
}

/**
 * True of an object with max_tokens that the scanner has been over; read no further than needed.
 */
function hasMaxTokens(bytes: Buffer, scanner: JsonScanner, start: number, end: number): boolean {
  let at = scanner.skipSpace(bytes, start + 1);
  while (bytes[at] === quoteByte) {
    const keyEnd = scanner.string(bytes, at + 1, end);
    const value = scanner.skipSpace(bytes, scanner.skipSpace(bytes, keyEnd) + 1);
    if (textOf(bytes, at, keyEnd) === 'max_tokens') return bytes[value] !== nullByte;
    const comma = scanner.skipSpace(bytes, scanner.value(bytes, value, end));
    at = scanner.skipSpace(bytes, comma + 1);
  }
  return false;
}

/** The text of the string bytes[start, end), quotes and all. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  return Buffer.from(decodeString(bytes, start, end)).toString();
}

export function refused(message: string): UnreadableFile {
  return new UnreadableFile('invalid', message);
}
