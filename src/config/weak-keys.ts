/** Keys that somebody could guess although they are long enough. */

const fewestCharacters = 8;

/** A sentence for each weak key of API_KEYS, by its place; never a part of the key. */
export function findWeakKeys(keys: Iterable<string>): string[] {
  return [...keys].flatMap((key, at) =>
    isWeak(key)
      ? [
          `entry ${at + 1} of API_KEYS must be harder to guess: it repeats itself, or has fewer than ${fewestCharacters} different characters; winnow keys create makes a good one`,
        ]
      : [],
  );
}

function isWeak(key: string): boolean {
  return new Set(key).size < fewestCharacters || repeats(key);
}

/** One piece three times or more, and no more than a part of it behind. */
function repeats(key: string): boolean {
  for (let length = 1; length * 3 <= key.length; length += 1) {
    if (key.slice(length) === key.slice(0, -length)) return true;
  }
  return false;
}
