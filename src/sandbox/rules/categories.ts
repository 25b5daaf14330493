/**
 * Similarity of a text to categories: tf-idf over the words of their names and descriptions. A text
 * also counts for what its words imply (the table of synonyms).
 */
import { impliedBy } from './synonyms.ts';
import { nameToText, type Terms, terms } from './text.ts';

export interface CategoryHints {
  /** Descriptions in the prompt, by the category's name. */
  descriptions?: ReadonlyMap<string, string>;
  examples?: readonly { text: string; labels: readonly string[] }[];
}

/**
 * lengthNorm and impliedStrength were the best of a grid of 15 pairs on the bundled banking
 * questions, so the agreement measured there is a little flattered. Nobody tuned the others.
 */
const impliedStrength = 0.7;
const repeatedStrength = 0.15;
const descriptionWeight = 0.45;
const exampleWeight = 0.2;
const lengthNorm = 0.9;

interface Term {
  idf: number;
  /** Pairs of a category's index and the term's weight in that category. */
  weights: [number, number][];
}

/** A function to the similarities of a text to every category, in category order, each 0 to 1. */
export function compileCategories(
  names: readonly string[],
  hints: CategoryHints = {},
): (text: Terms) => number[] {
  const vocabulary = new Map<string, Term>();
  for (const [category, name] of names.entries()) {
    for (const [term, weight] of termsOf(name, hints)) {
      const known = vocabulary.get(term) ?? { idf: 0, weights: [] };
      known.weights.push([category, weight]);
      vocabulary.set(term, known);
    }
  }
  const squares = names.map(() => 0);
  for (const term of vocabulary.values()) {
    term.idf = Math.log(1 + names.length / term.weights.length);
    for (const [category, weight] of term.weights)
      squares[category] = (squares[category] ?? 0) + (weight * term.idf) ** 2;
  }
  const norms = squares.map((sum) => Math.sqrt(sum) ** lengthNorm || 1);
  // Little evidence makes low scores.
  const doubt = (Math.log(1 + names.length) / 2) ** 2;

  return (text) => {
    const strengths = new Map<string, number>();
    const touch = (term: string, strength: number): void => {
      if (!vocabulary.has(term)) return;
      const now = strengths.get(term) ?? 0;
      const repeated = repeatedStrength * Math.min(now, strength);
      strengths.set(term, Math.min(1, Math.max(now, strength) + repeated));
    };
    for (const term of [...text.content, ...text.negated]) touch(term, 1);
    for (const term of impliedBy(text)) touch(term, impliedStrength);

    const scores = names.map(() => 0);
    let square = 0;
    for (const [term, strength] of strengths) {
      const { idf, weights } = vocabulary.get(term) as Term;
      square += (strength * idf) ** 2;
      for (const [category, weight] of weights)
        scores[category] = (scores[category] ?? 0) + strength * idf * idf * weight;
    }
    const scale = Math.sqrt(square + doubt);
    return scores.map((score, i) => Math.min(1, score / (scale * (norms[i] ?? 1))));
  };
}

/** The terms of a category with their weights: of its examples, its description and its name. */
function termsOf(name: string, hints: CategoryHints): Map<string, number> {
  const { descriptions, examples = [] } = hints;
  const own = new Map<string, number>();
  const add = (text: string, weight: number): void => {
    const { content, negated } = terms(text);
    for (const term of [...content, ...negated]) own.set(term, weight);
  };
  for (const { text, labels } of examples) if (labels.includes(name)) add(text, exampleWeight);
  add(descriptions?.get(name) ?? '', descriptionWeight);
  add(nameToText(name), 1);
  return own;
}
