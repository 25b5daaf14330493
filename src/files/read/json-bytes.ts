/** Small parts of JSON, read from bytes. */

/** Where the first byte from `at` on is that is not a digit. */
export function skipDigits(bytes: Uint8Array, at: number): number {
  let to = at;
  for (let byte = bytes[to] as number; byte >= 0x30 && byte <= 0x39; ) byte = bytes[++to] as number;
  return to;
}

/** The number that four hexadecimal digits say; -1 when they are not. */
export function hexUnit(bytes: Uint8Array, at: number): number {
  let unit = 0;
  for (let to = at; to < at + 4; to += 1) {
    const byte = bytes[to] as number;
    const digit =
      byte >= 0x30 && byte <= 0x39
        ? byte - 0x30
        : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66
          ? (byte | 0x20) - 0x57
          : -1;
    if (digit < 0) return -1;
    unit = (unit << 4) | digit;
  }
  return unit;
}

/**
 * True where the bytes from `at` on, as far as they go, may yet become an escape of four digits.
 */
export function couldBeEscape(bytes: Uint8Array, at: number, end: number): boolean {
  return (at >= end || bytes[at] === 0x5c) && (at + 1 >= end || bytes[at + 1] === 0x75);
}

/** The text of the string bytes[start, end), quotes and all. */
export function decodeString(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const inner = bytes.subarray(start + 1, end - 1);
  if (!inner.includes(0x5c)) return inner;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
  return Buffer.from(JSON.parse(text) as string);
}

/** True where bytes[start, end) are those of a key. */
export function sameBytes(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let at = 0; at < key.length; at += 1) if (key[at] !== bytes[start + at]) return false;
  return true;
}
