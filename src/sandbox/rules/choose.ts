/** The choice among categories, and between yes and no. Ties go to the earlier category. */
import { type CategoryHints, compileCategories } from './categories.ts';
import { nameToText, terms, wordSet, words } from './text.ts';

export interface Choice {
  /** The index of the best category. */
  best: number;
  /** Fit of each category; comparable within one choice only. */
  scores: readonly number[];
  /** Probability of each category; the numbers add up to 1. */
  confidences: readonly number[];
}

/**
 * Sharpness of the softmax from fits to confidences. One word of evidence is worth about the same
 * in a small set as in a large one. Roughly calibrated on the bundled banking questions.
 */
const sharpness = (categories: number): number => 2 + 1.3 * Math.log(categories);

export function compileChoice(
  names: readonly string[],
  hints: CategoryHints = {},
): (text: string) => Choice {
  const score = compileCategories(names, hints);
  return (text) => {
    const scores = withDefaults(score(terms(text)), names, text);
    const top = Math.max(...scores);
    const powers = scores.map((value) => Math.exp(sharpness(names.length) * (value - top)));
    const sum = powers.reduce((all, power) => all + power, 0);
    return { best: scores.indexOf(top), scores, confidences: powers.map((power) => power / sum) };
  };
}

/** A category for everything else wins where no other has more than `defaultFit`. */
const catchAll = /^(?:others?|none|unknown|misc\w*|general|neutral|ham|normal|n\/?a|unclear)$/i;
const defaultFit = 0.06;

/** Names without words, and in scripts without spaces, are found as they are written. */
function withDefaults(scores: number[], names: readonly string[], text: string): number[] {
  const lower = scores.some((value) => value > 0) ? '' : text.toLowerCase();
  return names.map((name, i) => {
    if (name && lower.includes(name.toLowerCase())) return 0.5;
    return Math.max(scores[i] ?? 0, catchAll.test(name) ? defaultFit : 0);
  });
}

/** Words of a question that say nothing of its subject. */
const frame = wordSet(`contain contains mention mentions include includes require requires need
  needs whether true false text message item content yes user customer flag author`);

/** The probability that a text is what a question asks for; more than 0.5 means yes. */
export function compileJudgement(question: string): (text: string) => number {
  const asked = nameToText(question).toLowerCase();
  const subject = words(asked).filter((word) => !frame.has(word));
  const wanted = terms(subject.join(' ')).content;
  const score = compileCategories([subject.join(' '), '']);
  return (text) => {
    const found = terms(text);
    if (wanted.some((term) => found.negated.includes(`not_${term}`))) return 0.2;
    const overlap = score(found)[0] ?? 0;
    return overlap === 0 ? 0.1 : Math.min(0.97, 0.5 + overlap / 2);
  };
}
