/** Yes or no: whether a text is what a property's name and description ask for. */
import { compileCategories } from './categories.ts';
import { findEmails, findPhones, findUrls } from './find/patterns.ts';
import type { Item } from './item.ts';
import { nameToText, terms, words } from './text.ts';

export interface Judgement {
  /** How likely yes is, 0..1; over 0.5 means yes. */
  probability: number;
}

const frame = new Set(
  `is are was has have had does do did contain contains mention mentions include includes require requires need needs whether true
  false if the a an text message item content yes no customer user flag it this that author about any or in of for`.split(
    /\s+/,
  ),
);
const good = /\b(?:positive|happy|satisfied|recommend\w*|liked?|pleased|praise)\b/;
const bad = /\b(?:negative|unhappy|dissatisfied|complain\w*|angry|upset|frustrated|disappointed)\b/;

export function compileJudgement(question: string): (item: Item) => Judgement {
  const asked = nameToText(question).toLowerCase();
  if (good.test(asked)) return ({ sentiment }) => ({ probability: (1 + sentiment.valence) / 2 });
  if (bad.test(asked)) return ({ sentiment }) => ({ probability: (1 - sentiment.valence) / 2 });
  if (/\bquestions?\b/.test(asked))
    return (item) => ({ probability: item.text.includes('?') ? 0.95 : 0.1 });
  if (/\b(?:has|contains?|includes?|mentions?) (?:an? |any )?e?-?mail\b/.test(asked))
    return present(findEmails);
  if (/\b(?:has|contains?|includes?|mentions?) (?:an? |any )?phone\b/.test(asked))
    return present(findPhones);
  if (/\b(?:has|contains?|includes?|mentions?) (?:an? |any )?(?:url|link)s?\b/.test(asked))
    return present(findUrls);

  const subject = words(asked)
    .filter((word) => !frame.has(word))
    .join(' ');
  const wanted = new Set(terms(subject).content);
  if (wanted.size === 0) return ({ sentiment }) => ({ probability: (1 + sentiment.valence) / 2 });
  const score = compileCategories([subject, '\u0000']);
  return (item) => {
    const overlap = score(item.terms)[0] ?? 0;
    const denied = item.terms.negated.some((term) => wanted.has(term.slice(4)));
    const probability = overlap === 0 ? 0.1 : Math.min(0.97, 0.5 + overlap / 2);
    return { probability: denied ? Math.min(0.2, 1 - probability) : probability };
  };
}

function present(find: (text: string) => readonly unknown[]): (item: Item) => Judgement {
  return (item) => ({ probability: find(item.text).length > 0 ? 0.98 : 0.03 });
}
