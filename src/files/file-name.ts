/** Longest name that is kept, in characters: what file systems allow. */
const maxLength = 255;
const fallback = 'upload';

/**
 * The name that a client gives a file, as data to show: the part behind the last slash or
 * backslash, without control and formatting characters (which could turn its direction around), at
 * most 255 characters.
 */
export function fileNameOf(given: string | null | undefined): string {
  const last = (given ?? '').toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const letters = [...last.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/gu, '').trim()];
  const name = letters.length > maxLength ? shortened(letters) : letters.join('');
  return /^\.*$/.test(name) ? fallback : name;
}

/** Cut in the middle: the end tells the format. */
function shortened(letters: readonly string[]): string {
  const [extension = ''] = /\.[a-z0-9]{1,10}$/i.exec(letters.slice(-12).join('')) ?? [];
  return letters.slice(0, maxLength - extension.length).join('') + extension;
}
