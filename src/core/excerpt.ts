const blanks = /\s+/g;

/**
 * The beginning of a text with every run of white space as one blank: at most so many UTF-16
 * units, a surrogate pair whole or not at all. Of a long text no more is looked at than it takes.
 */
export function excerpt(text: string, characters: number): string {
  let shown = '';
  for (let at = 0; at < text.length && shown.length < characters; at += characters) {
    const more = text.slice(at, at + characters).replace(blanks, ' ');
    // A run may go on from the piece before.
    shown += shown.endsWith(' ') && more.startsWith(' ') ? more.slice(1) : more;
  }
  const cut = shown.slice(0, characters);
  return isHalf(cut) ? cut.slice(0, -1) : cut;
}

/** True where a text ends within a surrogate pair. */
function isHalf(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
