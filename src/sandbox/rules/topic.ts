/** A topic for texts that come without a list of topics to choose from. */
import { compileCategories } from './categories.ts';
import type { Item } from './item.ts';

const topics = [
  'sports',
  'politics',
  'business',
  'technology',
  'science',
  'health',
  'entertainment',
  'food',
  'travel',
  'education',
  'environment',
  'crime',
  'weather',
  'automotive',
  'real estate',
  'fashion',
  'billing',
  'delivery',
  'refund',
  'account access',
  'technical error',
];
const score = compileCategories(topics);

export function guessTopic(item: Item): { name: string; score: number } | null {
  const scores = score(item.terms);
  let best = 0;
  for (let i = 1; i < scores.length; i++) {
    if ((scores[i] as number) > (scores[best] as number)) best = i;
  }
  const name = topics[best];
  const top = scores[best] ?? 0;
  return name && top > 0 ? { name, score: top } : null;
}
