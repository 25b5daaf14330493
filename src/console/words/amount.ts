/** Amounts as people type them: of money, or of hours. */

/**
 * A number above 0, with a $ before it or without one. Undefined for an empty text, null for all
 * else. A comma is refused: by one half of the world it parts thousands, by the other the cents.
 */
export function readAmount(text: string): number | undefined | null {
  const typed = text.trim().replace(/^\$\s*/, '');
  if (typed === '') return undefined;
  if (!/^(\d+\.?\d*|\.\d+)$/.test(typed)) return null;
  const value = Number(typed);
  return value > 0 ? value : null;
}
