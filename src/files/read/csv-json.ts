/** Cells as JSON strings, byte by byte. */
import { backslashByte, longEscapeByte, quoteByte } from './bytes.ts';

/** Characters behind a backslash in JSON. */
const jsonEscapes = new Uint8Array(0x60);
jsonEscapes.fill(longEscapeByte, 0, 0x20);
for (const [byte, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r' })) {
  jsonEscapes[Number(byte)] = letter.charCodeAt(0);
}
jsonEscapes[quoteByte] = quoteByte;
jsonEscapes[backslashByte] = backslashByte;

/** 0 for bytes that stand in a quoted cell as they are, and in JSON too. */
export const jsonStops = new Uint8Array(256);
jsonStops.fill(1, 0, 0x20);
jsonStops[quoteByte] = 1;
jsonStops[backslashByte] = 1;

const hexDigits = Buffer.from('0123456789abcdef');

/** Writes a byte that may not stand in a JSON string as it is; returns where its escape ends. */
export function writeEscape(target: Uint8Array, at: number, byte: number): number {
  const kind = jsonEscapes[byte] as number;
  target[at] = backslashByte;
  target[at + 1] = kind;
  if (kind !== longEscapeByte) return at + 2;
  target[at + 2] = 0x30;
  target[at + 3] = 0x30;
  target[at + 4] = hexDigits[byte >> 4] as number;
  target[at + 5] = hexDigits[byte & 15] as number;
  return at + 6;
}

/** The bytes of a cell that was written as the JSON string target[start, end). */
export function decodeCell(target: Uint8Array, start: number, end: number): Uint8Array {
  const json = Buffer.from(target.buffer, target.byteOffset + start, end - start);
  return Buffer.from(JSON.parse(json.toString()) as string);
}

/** True when the JSON array of strings text[start, end) has blank ones alone. */
export function areBlankCells(text: Uint8Array, start: number, end: number): boolean {
  const json = Buffer.from(text.buffer, text.byteOffset + start, end - start).toString();
  return (JSON.parse(json) as string[]).every((cell) => cell.trim() === '');
}

/** True when the text at `start` is `expected`. */
export function isSame(expected: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < expected.length; at += 1) {
    if (expected[at] !== bytes[start + at]) return false;
  }
  return true;
}
