/** Where the lines of a table end, whatever its cells are. */
import { carriageReturnByte, lineFeedByte, quoteByte } from './bytes.ts';

export interface LineRules {
  /** True: a carriage return ends a line by itself, as in files of old Macs. */
  bareReturns: boolean;
  /** Nothing follows the bytes at hand. */
  isLast: boolean;
}

/**
 * True where a carriage return ends lines by itself in a file that begins with head[start, end):
 * outside of quotes one comes before any line feed, and there are more of these than of those.
 */
export function hasBareReturns(head: Uint8Array, start: number, end: number): boolean {
  let isQuoted = false;
  let bare = 0;
  let feeds = 0;
  for (let at = start; at < end; at += 1) {
    const byte = head[at];
    if (byte === quoteByte) isQuoted = !isQuoted;
    if (isQuoted || (byte !== lineFeedByte && byte !== carriageReturnByte)) continue;
    const length = breakLength(head, at, end, { bareReturns: true, isLast: true });
    if (byte === carriageReturnByte && length === 1) bare += 1;
    else if (bare === 0) return false;
    else feeds += 1;
    at += length - 1;
  }
  return bare > feeds;
}

/**
 * Bytes of the line break at `at`. It is a line feed with up to two carriage returns before it,
 * because Python writes two on Windows. Or it is a carriage return by itself, where those end lines
 * or the file ends. 0: no line break; -1: nobody knows yet.
 */
export function breakLength(
  bytes: Uint8Array,
  at: number,
  end: number,
  { bareReturns, isLast }: LineRules,
): number {
  const byte = bytes[at];
  if (byte === lineFeedByte) return 1;
  if (byte !== carriageReturnByte) return 0;
  if (at + 1 >= end) return isLast ? 1 : -1;
  if (bytes[at + 1] === lineFeedByte) return 2;
  if (bytes[at + 1] === carriageReturnByte) {
    if (at + 2 >= end) return bareReturns ? 1 : isLast ? 2 : -1;
    if (bytes[at + 2] === lineFeedByte) return 3;
  }
  return bareReturns ? 1 : 0;
}

/**
 * True where a carriage return ends a line where it does not by itself. bytes[end] is a line feed,
 * so that the end of a block may be one.
 */
export function isBreak(bytes: Uint8Array, at: number): boolean {
  const next = bytes[at + 1];
  return next === lineFeedByte || (next === carriageReturnByte && bytes[at + 2] === lineFeedByte);
}

/** Where the line break at `at` ends; -1 when that is not known yet. */
export function behindBreak(bytes: Uint8Array, at: number, end: number, rules: LineRules): number {
  const length = breakLength(bytes, at, end, rules);
  return length < 0 ? -1 : at + length;
}

/** Where the line after the one that begins at `start` begins; -1 when that is not there yet. */
export function lineEnd(bytes: Uint8Array, start: number, end: number, rules: LineRules): number {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== lineFeedByte && bytes[at] !== carriageReturnByte) continue;
    const length = breakLength(bytes, at, end, rules);
    if (length < 0) return -1;
    if (length > 0) return at + length;
  }
  return rules.isLast ? end : -1;
}

/** Cells of the line bytes[start, end) when quotes are text. */
export function plainCells(
  bytes: Uint8Array,
  start: number,
  end: number,
  delimiter: number,
): number {
  let cells = 1;
  for (let at = start; at < end; at += 1) if (bytes[at] === delimiter) cells += 1;
  return cells;
}

/** Rules by which the lines of a table would be cut if quotes were text. */
export interface PlainRules {
  delimiter: number;
  /** Cells of a row. */
  width: number;
  bareReturns: boolean;
}

/** The number of lines of bytes[start, end), if each of several has a row's cells; else 0. */
export function countPlainRows(
  bytes: Uint8Array,
  start: number,
  end: number,
  { delimiter, width, bareReturns }: PlainRules,
): number {
  const lineBreak = bareReturns ? carriageReturnByte : lineFeedByte;
  // The first line is looked at last, since it has them mostly: text stands at the end of a row.
  const second = bytes.indexOf(lineBreak, start) + 1;
  let lines = 1;
  let cells = 1;
  let from = second;
  for (let at = second; at < end; at += 1) {
    if (bytes[at] === delimiter) cells += 1;
    if (bytes[at] !== lineBreak) continue;
    if (cells !== width) return 0;
    lines += 1;
    cells = 1;
    from = at + 1;
    if (bytes[from] === lineFeedByte && bareReturns) from += 1;
  }
  if (from < end) {
    if (cells !== width) return 0;
    lines += 1;
  }
  return plainCells(bytes, start, second, delimiter) === width ? lines : 0;
}

/** True when the lines' first cells look like ids of one list, or their last ones are numbers. */
export function areNumbered(
  bytes: Uint8Array,
  start: number,
  end: number,
  { delimiter, bareReturns }: PlainRules,
): boolean {
  const firsts = new Set<string>();
  const lasts = new Set<string>();
  for (let at = start; at < end; ) {
    const next = lineEnd(bytes, at, end, { bareReturns, isLast: true });
    const line = bytes.subarray(at, next);
    firsts.add(shapeOf(line.subarray(0, line.indexOf(delimiter))));
    lasts.add(shapeOf(line.subarray(line.lastIndexOf(delimiter) + 1)));
    at = next;
  }
  return (
    isOneList(firsts) || (isOneList(lasts) && [...lasts].every((shape) => /^[0.,-]+$/.test(shape)))
  );
}

function isOneList(shapes: ReadonlySet<string>): boolean {
  const [shape = ''] = shapes;
  return shapes.size === 1 && shape.includes('0');
}

const maxShapeBytes = 40;

/**
 * `r-17` and `r-18` have one shape, `r-0`: letters as they are, a zero for each number. Empty for
 * what is too long.
 */
function shapeOf(cell: Uint8Array): string {
  if (cell.length > maxShapeBytes) return '';
  const text = Buffer.from(cell).toString('latin1');
  return text.replaceAll('"', '').trim().replace(/\d+/g, '0');
}
