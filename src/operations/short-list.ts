/** Names in a message for people: it stands in each row that failed. */

const maxNames = 10;
/** Most characters of all names together; one name stands whatever its length. */
const maxLength = 240;

/** `"a", "b" and 67 more`. */
export function shortList(names: readonly string[]): string {
  let length = 0;
  let shown = 0;
  for (const name of names.slice(0, maxNames)) {
    length += name.length;
    if (shown > 0 && length > maxLength) break;
    shown += 1;
  }
  const rest = names.length - shown;
  const told = names.slice(0, shown).join(', ');
  return rest === 0 ? told : `${told} and ${rest.toLocaleString('en')} more`;
}
