import { replaceUnstorable } from '../../core/text.ts';

/** Enough to see what went wrong; a model may write a book. */
export const maxLength = 2_000;

/**
 * The stored part of an answer that was refused: its beginning, with no character cut in two. Null
 * where nothing was written.
 */
export function rejectedAnswer(text: string | null): string | null {
  if (text === null || text.trim() === '') return null;
  const beginning = text.slice(0, maxLength);
  const isCut = text.length > maxLength && /[\ud800-\udbff]$/.test(beginning);
  return replaceUnstorable(isCut ? beginning.slice(0, -1) : beginning);
}
