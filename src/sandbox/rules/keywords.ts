/** The words that a text is about. */
import type { Item } from './item.ts';
import { stem } from './stem.ts';
import { isStopWord, words } from './text.ts';

const MAX_WORDS = 4_000;

/** Up to `limit` keywords as they are written (lower case), the frequent and the long ones first. */
export function keywordsOf(item: Item, limit: number): string[] {
  const counts = new Map<string, { word: string; count: number; at: number }>();
  for (const [at, word] of words(item.text).slice(0, MAX_WORDS).entries()) {
    if (word.length < 3 || isStopWord(word) || /^\d+$/.test(word) || word === 'not') continue;
    const key = stem(word);
    const known = counts.get(key);
    if (known) known.count++;
    else counts.set(key, { word, count: 1, at });
  }
  return [...counts.values()]
    .sort((a, b) => weight(b) - weight(a) || a.at - b.at)
    .slice(0, limit)
    .map(({ word }) => word);
}

function weight({ word, count }: { word: string; count: number }): number {
  return count * (1 + Math.min(word.length, 10) / 20);
}
