/** Small parts of JSON, read from bytes. */

/** Where the first byte from `at` on is that is no digit. */
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

/** Whether the bytes from `at` on, as far as there are any, may yet become an escape of four digits. */
export function couldBeEscape(bytes: Uint8Array, at: number, end: number): boolean {
  return (at >= end || bytes[at] === 0x5c) && (at + 1 >= end || bytes[at + 1] === 0x75);
}
