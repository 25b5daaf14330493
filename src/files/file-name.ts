/** Longest name that is kept, in characters: what file systems allow. */
const maxLength = 255;
const fallback = 'upload';

/**
 * The name that a client gives a file, as data to show: the part behind the last slash or backslash, without control and formatting characters
 * (which could turn its direction around), at most 255 characters.
 */
export function fileNameOf(given: string | null | undefined): string {
  const last = (given ?? '').toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const name = [...last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/gu, '').trim()]
    .slice(0, maxLength)
    .join('');
  return /^\.*$/.test(name) ? fallback : name;
}
