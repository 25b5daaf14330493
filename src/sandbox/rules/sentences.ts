/** Sentences of a text, and the ones that answer a question or stand for the whole. */
import type { Found } from './node.ts';
import { terms } from './text.ts';

const abbreviation = /\b(?:mr|mrs|ms|dr|prof|inc|ltd|co|corp|vs|etc|e\.g|i\.e|st|no|[a-z])\.$/i;

export function sentencesOf(text: string): string[] {
  const sentences: string[] = [];
  let pending = '';
  for (const piece of text.split(/(?<=[.!?。！？])\s+|\n+/)) {
    pending = `${pending} ${piece.trim()}`.trim();
    if (pending === '' || abbreviation.test(pending.slice(-12))) continue;
    sentences.push(pending);
    pending = '';
  }
  return pending ? [...sentences, pending] : sentences;
}

/** The sentence that shares most with a question; its score is the share of the question. */
export function closestSentence(sentences: readonly string[], question: string): Found | null {
  const asked = new Set(terms(question).content);
  let best: Found | null = null;
  for (const value of sentences.slice(0, 400)) {
    const content = new Set(terms(value).content);
    const score = [...asked].filter((term) => content.has(term)).length / asked.size;
    if (score > (best?.score ?? 0)) best = { value, score };
  }
  return best;
}

export const summarize = (text: string, sentences: number): string =>
  sentencesOf(text).slice(0, sentences).join(' ');

/** Length of a summary: "in one sentence", "3 short sentences". Default 2. */
export function sentencesAsked(instructions: string): number {
  const said = /\b(\w{1,5})(?: short| brief)?[- ]sentences?\b/i.exec(instructions)?.[1] ?? '';
  const named = ['', 'one', 'two', 'three', 'four', 'five'].indexOf(said.toLowerCase());
  return Math.max(named, Number.parseInt(said, 10) || (said === 'a' ? 1 : 0)) || 2;
}
