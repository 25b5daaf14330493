/** How a text feels about its subject: counted words of opinion, turned by negation, scaled by intensifiers. */
import {
  intensifiers,
  negativeWords,
  positiveWords,
  softeners,
  strongNegativeWords,
  strongPositiveWords,
} from './lexicons/sentiment.ts';
import { stem } from './stem.ts';
import { words } from './text.ts';

export interface Sentiment {
  /** -1 (all against) to 1 (all for); 0 when nothing was said. */
  valence: number;
  positive: number;
  negative: number;
}

const list = (text: string): string[] => text.split(/\s+/).filter(Boolean);

const valences = new Map<string, number>();
for (const word of list(positiveWords)) valences.set(stem(word), 1);
for (const word of list(negativeWords)) valences.set(stem(word), -1);
for (const word of list(strongPositiveWords)) valences.set(stem(word), 2);
for (const word of list(strongNegativeWords)) valences.set(stem(word), -2);
/** "Not" negates here; "never again" and the like stand in the list of their own right. */
const negators = new Set(list('not no never without hardly barely nor neither'));
valences.delete('never');
valences.delete('rip');
const stronger = new Set(list(intensifiers));
const softer = new Set(list(softeners));

/** A negation reaches this many words ahead: "not a very good" needs three. */
const REACH = 3;
const NEGATED = -0.75;

export function sentimentOf(text: string): Sentiment {
  let positive = 0;
  let negative = 0;
  let negatedFor = 0;
  let scale = 1;
  for (const word of words(text)) {
    if (negators.has(word)) {
      negatedFor = REACH;
      continue;
    }
    if (word === 'but' || word === 'however') {
      negatedFor = 0;
      scale = 1;
      continue;
    }
    if (stronger.has(word)) scale = 1.5;
    else if (softer.has(word)) scale = 0.6;
    else {
      const valence = (valences.get(stem(word)) ?? 0) * scale * (negatedFor > 0 ? NEGATED : 1);
      if (valence > 0) positive += valence;
      else negative -= valence;
      scale = 1;
    }
    negatedFor = Math.max(0, negatedFor - 1);
  }
  const emphasis = text.slice(0, 2_000).includes('!') ? 1.2 : 1;
  const net = (positive - negative) / Math.sqrt(Math.max(1, positive + negative));
  return { valence: Math.tanh(net * emphasis), positive, negative };
}
