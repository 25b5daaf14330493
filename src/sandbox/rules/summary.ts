/** Summaries by selection: the most central sentences, as long as the prompt allows. */
import type { Item } from './item.ts';
import type { SummaryLimits } from './node.ts';
import { centralSentences, firstCharacters, firstWords } from './sentences.ts';

const DEFAULT_SENTENCES = 2;

export function summarize(item: Item, limits: SummaryLimits): string {
  const chosen = centralSentences(item.sentences, limits.sentences ?? DEFAULT_SENTENCES).join(' ');
  const worded = limits.words === null ? chosen : firstWords(chosen, limits.words);
  return limits.characters === null ? worded : firstCharacters(worded, limits.characters);
}

const counts = new Map(
  Object.entries({
    a: 1,
    an: 1,
    one: 1,
    single: 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    ten: 10,
  }),
);

/** What a prompt says of length: "in one sentence", "under 20 words", "at most 100 characters". */
export function summaryLimits(instructions: string): SummaryLimits {
  const text = instructions.slice(0, 4_000).toLowerCase();
  const range = /\b(\w{1,6}) (?:to|or) (\w{1,6}) sentences\b/.exec(text);
  const middle = range ? ((number(range[1]) ?? 1) + (number(range[2]) ?? 3)) / 2 : null;
  return {
    sentences:
      middle !== null
        ? Math.floor(middle)
        : count(
            text,
            /\b(\d{1,3}|[a-z]{1,6})(?: (?:short|brief|concise|complete|simple|clear)){0,2}[- ]sentences?\b/,
          ),
    words: count(text, /\b(\d{1,4}|ten|five|six)[- ](?:words?\b)/),
    characters: count(text, /\b(\d{1,5})[- ]char(?:acter)?s?\b/),
  };
}

function count(text: string, shape: RegExp): number | null {
  return number(shape.exec(text)?.[1]);
}

function number(word: string | undefined): number | null {
  if (word === undefined) return null;
  const value = /^\d+$/.test(word) ? Number(word) : (counts.get(word) ?? null);
  return value === null || value < 1 ? null : value;
}
