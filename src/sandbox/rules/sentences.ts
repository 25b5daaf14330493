/** Sentences, and the ones that stand for the whole. */
import { type Terms, terms } from './text.ts';

const MAX_SENTENCES = 400;
const abbreviations =
  /(?:\b(?:mr|mrs|ms|dr|prof|inc|ltd|co|corp|vs|etc|e\.g|i\.e|st|no|[a-z])|\b[a-z]\.[a-z])\.$/i;

export function sentencesOf(text: string): string[] {
  const sentences: string[] = [];
  let pending = '';
  for (const piece of text.split(/(?<=[.!?。！？])\s+|\n+/)) {
    const trimmed = piece.trim();
    if (trimmed === '') continue;
    pending = pending ? `${pending} ${trimmed}` : trimmed;
    if (abbreviations.test(pending.slice(-12))) continue;
    sentences.push(pending);
    pending = '';
    if (sentences.length >= MAX_SENTENCES) return sentences;
  }
  if (pending) sentences.push(pending);
  return sentences;
}

/**
 * The `count` most central sentences in their order: those that share most words with the whole text, the first ones
 * ahead of the rest, as news and reviews are written.
 */
export function centralSentences(sentences: readonly string[], count: number): string[] {
  if (sentences.length <= count) return [...sentences];
  const all = sentences.map((sentence) => terms(sentence).content);
  const frequency = new Map<string, number>();
  for (const content of all)
    for (const term of new Set(content)) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  const scored = all.map((content, at) => {
    let sum = 0;
    for (const term of new Set(content)) sum += (frequency.get(term) ?? 1) - 1;
    const lead = at === 0 ? 1.5 : at === 1 ? 1.15 : 1;
    return { at, score: (lead * (1 + sum)) / Math.sqrt(4 + content.length) };
  });
  return scored
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, count)
    .sort((a, b) => a.at - b.at)
    .map(({ at }) => sentences[at] as string);
}

/** The sentence that shares most with a question, and how much of the question it holds (0..1). */
export function closestSentence(
  sentences: readonly string[],
  question: Terms,
): { sentence: string; score: number } | null {
  const asked = new Set(question.content);
  if (asked.size === 0) return null;
  let best: { sentence: string; score: number } | null = null;
  for (const sentence of sentences) {
    const content = new Set(terms(sentence).content);
    let shared = 0;
    for (const term of asked) if (content.has(term)) shared++;
    const score = shared / asked.size;
    if (shared > 0 && score > (best?.score ?? 0)) best = { sentence, score };
  }
  return best;
}

/** At most `limit` words, with an ellipsis where something was cut. */
export function firstWords(text: string, limit: number): string {
  const parts = text.trim().split(/\s+/);
  return parts.length <= limit
    ? parts.join(' ')
    : `${parts
        .slice(0, limit)
        .join(' ')
        .replace(/[,;:.]$/, '')}…`;
}

/** At most `limit` UTF-16 units, never half a surrogate pair, cut at a word where one ends near. */
export function firstCharacters(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit).replace(/[\ud800-\udbff]$/, '');
  const space = cut.lastIndexOf(' ');
  return space > limit * 0.6 ? cut.slice(0, space) : cut;
}
