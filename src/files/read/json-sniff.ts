/** The signs of JSON in the beginning of a file, and its kind. One broken row changes nothing. */

import { maxJsonDepth } from '../../core/json.ts';
import { closeBracket, commaByte, openBrace, quoteByte } from './bytes.ts';
import { chatFormat } from './chat-lines.ts';
import type { FileFormat } from './format.ts';
import { JsonScanner } from './json-scanner.ts';
import { behindSpaceAndMarks } from './marks.ts';
import { foreignWordEnd } from './not-json.ts';

/** Rows that are looked at. */
const sniffedRows = 100;

export interface SniffedJson {
  format: FileFormat;
  /** True where the file seems to be one object. */
  isObject: boolean;
  /** True where that has no line break in it. */
  isOneLine: boolean;
}

/** Null for a beginning of something else. `isWhole`: `head` is the whole file. */
export function sniffJson(head: Buffer, isWhole: boolean): SniffedJson | null {
  const scanner = new JsonScanner({ lines: false, maxDepth: maxJsonDepth });
  // The scanner looks one byte behind the end.
  const bytes = Buffer.concat([head, Buffer.alloc(16)]);
  const end = head.length;
  const at = behindSpaceAndMarks(scanner, bytes, 0, end);
  if (bytes[at] === 0x5b) {
    const isArray = looksLikeArray(scanner, bytes, at + 1, end, isWhole);
    return isArray ? { format: 'JSON', isObject: false, isOneLine: false } : null;
  }
  return bytes[at] === openBrace ? sniffObject(scanner, bytes, at, { head, isWhole }) : null;
}

/** True for an array with a string or an object, good or broken, among its first elements. */
function looksLikeArray(
  scanner: JsonScanner,
  bytes: Buffer,
  start: number,
  end: number,
  isWhole: boolean,
): boolean {
  let from = start;
  let objects = 0;
  for (let row = 0; row < sniffedRows; row += 1) {
    const begin = behindSpaceAndMarks(scanner, bytes, from, end);
    if (bytes[begin] === closeBracket && begin < end && row === 0) return true;
    const isObject = bytes[begin] === openBrace;
    const isText = bytes[begin] === quoteByte;
    let to = scanner.value(bytes, begin, end);
    const isGood = to >= 0;
    if (to === -2) {
      to = isObject ? scanner.skipNested(bytes, begin, end) : foreignWordEnd(bytes, begin, end);
    }
    // The head ends inside the element: nothing else is that long.
    if (to < 0) return !isWhole && (isObject || (isText && isGood));
    const behind = scanner.skipSpace(bytes, to);
    const isLast = bytes[behind] === closeBracket;
    if (!isLast && bytes[behind] !== commaByte) return false;
    if (isGood && (isObject || isText)) return true;
    if (isObject) objects += 1;
    if (isLast) return objects > 0 && scanner.skipSpace(bytes, behind + 1) >= end;
    from = behind + 1;
  }
  return objects > 0;
}

/** A beginning with a brace: lines of objects, one object, or neither. */
function sniffObject(
  scanner: JsonScanner,
  bytes: Buffer,
  at: number,
  { head, isWhole }: { head: Buffer; isWhole: boolean },
): SniffedJson | null {
  const end = head.length;
  let to = scanner.value(bytes, at, end);
  const isGood = to >= 0;
  if (to === -2) to = scanner.skipNested(bytes, at, end);
  const hasBreak = bytes.subarray(at, to < 0 ? end : to).includes(0x0a);
  const lines = sniffLines(head, isWhole, 'some');
  if (!isGood && lines !== null) return { format: lines, isObject: false, isOneLine: false };
  if (to < 0) {
    if (isWhole) return null;
    // The head ends in the first value: one object of many lines, or a long line.
    if (hasBreak) return { format: 'JSON', isObject: true, isOneLine: false };
    const line = chatFormat(beginningOf(scanner, bytes, at, end));
    return { format: line ?? 'JSONL', isObject: line === null, isOneLine: true };
  }
  const isAlone = isWhole && scanner.skipSpace(bytes, to) >= end;
  if (isAlone && (isGood || hasBreak)) {
    const format = hasBreak ? 'JSON' : (lineFormat(head) ?? 'JSON');
    return { format, isObject: format === 'JSON', isOneLine: !hasBreak };
  }
  if (!isGood || hasBreak) return null;
  return { format: lineFormat(head) ?? 'JSONL', isObject: false, isOneLine: false };
}

/** The members of an object that the head ends in, as far as they are there: nothing is in them. */
function beginningOf(scanner: JsonScanner, bytes: Buffer, at: number, end: number): object {
  scanner.object(bytes, at, end);
  return Object.fromEntries(
    scanner.valueStart.map((value, member) => [
      bytes.toString('utf8', scanner.keyStart[member], scanner.keyEnd[member]),
      bytes[value] === openBrace ? {} : '',
    ]),
  );
}

/**
 * The form of JSON that these lines have: each begins as an object, and some are. Null where not.
 */
export function sniffLines(
  head: Buffer,
  isWhole: boolean,
  which: 'each' | 'some' = 'each',
): FileFormat | null {
  const lines = head.toString('utf8').split('\n', sniffedRows + 1);
  // The last one may be cut.
  if (!isWhole || lines.length > sniffedRows) lines.pop();
  const rows = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (rows.length === 0 || !rows.every((row) => row.startsWith('{'))) return null;
  const objects = rows.map(parsed);
  const first = objects.find((row) => row !== null);
  if (!first || (which === 'each' && objects.includes(null))) return null;
  return chatFormat(first) ?? 'JSONL';
}

/** Which provider's lines these are, by the first that is JSON; null for others. */
function lineFormat(head: Buffer): FileFormat | null {
  for (const line of head.toString('utf8').split('\n')) {
    const value = parsed(line.trim());
    if (value !== null) return chatFormat(value);
  }
  return null;
}

/** True where the first line is JSON by itself, as each is in a file of arrays per line. */
export function isLine(head: Buffer): boolean {
  const feed = head.indexOf(0x0a);
  try {
    JSON.parse(head.toString('utf8', 0, feed < 0 ? head.length : feed));
    return feed >= 0 && feed < head.length - 1;
  } catch {
    return false;
  }
}

function parsed(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
