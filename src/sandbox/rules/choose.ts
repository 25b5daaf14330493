/**
 * The choice among categories: looks at what kind of set they are (feelings, languages, degrees of urgency, yes and no,
 * anything else) and says how sure it is. Ties go to the earlier category.
 */
import { type CategoryHints, compileCategories } from './categories.ts';
import type { Item } from './item.ts';
import { compileJudgement } from './judge.ts';
import { languageNamed, languageScores } from './language.ts';
import { nameToText, words } from './text.ts';

export interface Choice {
  /** How well each category fits, in category order; comparable within one choice only. */
  scores: Float64Array;
  /** Index of the best. */
  best: number;
  /** How sure the rule is of each category: adds up to 1, grows with the distance to the others. */
  confidences: Float64Array;
}

export type Chooser = (item: Item) => Choice;

export interface ChoiceHints extends CategoryHints {
  /** What is asked, in words (a property's name, its description): decides yes and no. */
  question?: string | undefined;
}

/**
 * Sharpness of the softmax that turns fits into confidences, growing with the number of categories so that one word of
 * evidence is worth about the same in a small set as in a large one. About calibrated on the bundled banking questions.
 */
const sharpness = (categories: number): number => 2 + 1.5 * Math.log(categories);
/** What a catch-all category gets for nothing: it wins where no other has more. */
const DEFAULT_FIT = 0.06;

export function compileChoice(names: readonly string[], hints: ChoiceHints = {}): Chooser {
  const fitOf =
    sentimentFit(names) ??
    languageFit(names) ??
    urgencyFit(names) ??
    yesNoFit(names, hints.question ?? '') ??
    topicFit(names, hints);
  return (item) => settle(fitOf(item));
}

type Fit = (item: Item) => Float64Array;

function settle(scores: Float64Array): Choice {
  let best = 0;
  for (let i = 1; i < scores.length; i++) {
    if ((scores[i] as number) > (scores[best] as number)) best = i;
  }
  const top = scores[best] ?? 0;
  let sum = 0;
  const sharp = sharpness(scores.length);
  const confidences = new Float64Array(scores.length);
  for (let i = 0; i < scores.length; i++) {
    const value = Math.exp(sharp * ((scores[i] as number) - top));
    confidences[i] = value;
    sum += value;
  }
  for (let i = 0; i < confidences.length; i++) confidences[i] = (confidences[i] as number) / sum;
  return { scores, best, confidences };
}

const catchAll =
  /^(?:other|others|none|unknown|misc|miscellaneous|general|neutral|ham|normal|n\/?a|unclear|undefined|no[nt]?[ _-].*)$/i;

function topicFit(names: readonly string[], hints: CategoryHints): Fit {
  const score = compileCategories(names, hints);
  const lower = names.map((name) => nameToText(name).toLowerCase());
  const defaults = names.map((name) => (catchAll.test(name) ? DEFAULT_FIT : 0));
  return (item) => {
    const scores = score(item.terms);
    let any = false;
    for (const value of scores) any ||= value > 0;
    if (!any) {
      const text = item.text.toLowerCase();
      for (const [i, name] of lower.entries()) if (name && text.includes(name)) scores[i] = 0.5;
    }
    for (let i = 0; i < scores.length; i++)
      scores[i] = Math.max(scores[i] as number, defaults[i] as number);
    return scores;
  };
}

const feelings = new Map<string, number | 'mixed'>(
  Object.entries({
    positive: 1,
    pos: 1,
    good: 1,
    happy: 1,
    satisfied: 1,
    favorable: 1,
    favourable: 1,
    bullish: 1,
    praise: 1,
    promoter: 1,
    negative: -1,
    neg: -1,
    bad: -1,
    unhappy: -1,
    dissatisfied: -1,
    unsatisfied: -1,
    unfavorable: -1,
    bearish: -1,
    detractor: -1,
    neutral: 0,
    passive: 0,
    okay: 0,
    average: 0,
    none: 0,
    objective: 0,
    mixed: 'mixed',
    ambivalent: 'mixed',
    excellent: 1,
    terrible: -1,
    poor: -1,
  } as const),
);
const much = new Set('very strongly extremely highly'.split(' '));
const bit = new Set('somewhat slightly mildly weakly rather'.split(' '));

/** Positive, negative, neutral, mixed, in their many names and degrees; null if the set is something else. */
function sentimentFit(names: readonly string[]): Fit | null {
  const graded = names.some((name) => words(nameToText(name)).some((word) => much.has(word)));
  const targets = names.map((name) => {
    const parts = words(nameToText(name)).filter((word) => word !== 'sentiment');
    const base = feelings.get(parts.at(-1) ?? '');
    if (base === undefined || parts.length > 2) return null;
    const degree =
      parts.length === 1
        ? graded
          ? 0.55
          : 0.9
        : much.has(parts[0] ?? '')
          ? 1
          : bit.has(parts[0] ?? '')
            ? 0.45
            : null;
    return degree === null ? null : base === 'mixed' ? base : base * degree;
  });
  if (targets.some((target) => target === null) || new Set(targets).size < 2) return null;
  if (!targets.some((target) => target !== 0 && target !== 'mixed')) return null;
  return ({ sentiment }) => {
    const { valence, positive, negative } = sentiment;
    const both = Math.min(positive, negative) / Math.max(1, positive, negative);
    return Float64Array.from(targets, (target) => {
      if (target === 'mixed') return positive >= 1 && negative >= 1 ? 0.7 + both / 2 : 0;
      return 1 - Math.abs(valence - (target ?? 0)) / 2;
    });
  };
}

function languageFit(names: readonly string[]): Fit | null {
  const named = names.map(languageNamed);
  if (named.filter((at) => at >= 0).length < Math.max(2, names.length - 2)) return null;
  return (item) => {
    const scores = languageScores(item.text);
    return Float64Array.from(named, (at) => (at >= 0 ? (scores[at] as number) : DEFAULT_FIT));
  };
}

const degrees = new Map<string, number>(
  Object.entries({
    low: 0,
    minor: 0,
    trivial: 0,
    routine: 0,
    p4: 0,
    p3: 0.33,
    medium: 0.4,
    normal: 0.3,
    moderate: 0.4,
    standard: 0.3,
    p2: 0.66,
    high: 0.75,
    major: 0.75,
    important: 0.7,
    critical: 1,
    urgent: 1,
    blocker: 1,
    emergency: 1,
    p1: 1,
    p0: 1,
    severe: 1,
    immediate: 1,
  }),
);
const urgency = compileCategories(['urgent critical emergency', 'unrelated']);

/** Low to critical: one scale of urgency, from words of haste and of harm. */
function urgencyFit(names: readonly string[]): Fit | null {
  const targets = names.map((name) => {
    const parts = words(nameToText(name)).filter(
      (word) => !['priority', 'urgency', 'severity', 'level'].includes(word),
    );
    if (/^(?:not|non|un)[ _-]?(?:urgent|critical|important)$/i.test(name)) return 0;
    return parts.length === 1 ? (degrees.get(parts[0] ?? '') ?? null) : null;
  });
  if (targets.some((target) => target === null) || new Set(targets).size < 2) return null;
  return (item) => {
    const haste = Math.min(1, (urgency(item.terms)[0] ?? 0) * 1.6);
    const harm = Math.min(0.5, item.sentiment.negative * 0.12);
    const shout = item.text.slice(0, 2_000).includes('!!') ? 0.15 : 0;
    const level = Math.min(1, 0.15 + haste + harm + shout);
    return Float64Array.from(targets, (target) => 1 - Math.abs(level - (target ?? 0)));
  };
}

const yes = new Set(['yes', 'y', 'true', 'correct']);
const no = new Set(['no', 'n', 'false', 'incorrect']);

function yesNoFit(names: readonly string[], question: string): Fit | null {
  const lower = names.map((name) => name.trim().toLowerCase());
  if (!lower.some((name) => yes.has(name)) || !lower.some((name) => no.has(name))) return null;
  const judge = compileJudgement(question);
  return (item) => {
    const { probability } = judge(item);
    return Float64Array.from(lower, (name) =>
      yes.has(name) ? probability : no.has(name) ? 1 - probability : DEFAULT_FIT,
    );
  };
}
