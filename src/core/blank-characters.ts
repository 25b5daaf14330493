const control = Array.from({ length: 0x20 }, (_, at) => String.fromCharCode(at + 1)).join('');

/** All white space that may stand around a custom id; control characters are among it. */
export const blankCharacters = `${control}\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff`;

/** A text without the white space around it. */
export function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && blankCharacters.includes(text[start] as string)) start += 1;
  while (end > start && blankCharacters.includes(text[end - 1] as string)) end -= 1;
  return text.slice(start, end);
}
