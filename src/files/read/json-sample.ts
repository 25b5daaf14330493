/** The first good rows of JSON, from which content and custom id are chosen. */
import { isUtf8 } from 'node:buffer';
import type { JsonScanner } from './json-scanner.ts';

/** Rows that are looked at before content and custom id are chosen. */
export const sampleRows = 100;

/** True of a value bytes[start, end), just scanned, that a row can be. */
export function canBeRow(
  scanner: JsonScanner,
  bytes: Uint8Array,
  start: number,
  end: number,
  valid: boolean,
): boolean {
  const isKind = bytes[start] === 0x7b || bytes[start] === 0x22;
  return isKind && scanner.flaw === null && (valid || isUtf8(bytes.subarray(start, end)));
}

/** The value of bytes[start, end), which is JSON. */
export function parseBytes(bytes: Uint8Array, start: number, end: number): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
}
