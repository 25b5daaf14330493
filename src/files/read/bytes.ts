/** Bytes that readers look for, by their names. */
export const tabByte = 0x09;
export const lineFeedByte = 0x0a;
export const carriageReturnByte = 0x0d;
export const blankByte = 0x20;
export const quoteByte = 0x22;
export const commaByte = 0x2c;
export const colonByte = 0x3a;
export const openBracket = 0x5b;
export const backslashByte = 0x5c;
export const closeBracket = 0x5d;
/** Begins `null`. */
export const nullByte = 0x6e;
/** Begins an escape of four digits, behind a backslash. */
export const longEscapeByte = 0x75;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;
