/** Types that the parts of the schema walker share. */
import type { JsonSchema } from './json-schema.ts';

/** A value chosen among several, and how sure the rule is: log-probabilities are made of these. */
export interface Decision {
  value: string | number | boolean | null;
  score: number;
}

/** Something found in a text, and how sure the rule is: 0 to 1. */
export interface Found<Value = string> {
  value: Value;
  score: number;
}

/** A value for a place in a schema; with a score of 0 the value only satisfies the schema. */
export interface Filled extends Found<unknown> {
  /** In the order in which the values stand in the JSON. */
  decisions: readonly Decision[];
}

export interface SchemaNode {
  /** The one best value. */
  fill(text: string): Filled;
  /** Every value of this kind in the text, in text order, for arrays. */
  all(text: string): Filled[];
}

export const nothing = (value: unknown): Filled => ({ value, score: 0, decisions: [] });

/** A node of all that `find` finds, with `empty` where nothing is found. */
export function finder(empty: unknown, find: (text: string) => Found<unknown>[]): SchemaNode {
  const all = (text: string): Filled[] => find(text).map((one) => ({ ...one, decisions: [] }));
  return { fill: (text) => bestOf(all(text)) ?? nothing(empty), all };
}

/** The first of those with the highest score. */
export const bestOf = (filled: readonly Filled[]): Filled | undefined =>
  filled.toSorted((a, b) => b.score - a.score)[0];

/** Where in the schema a node stands, and what the prompt says around it. */
export interface Place {
  name: string;
  description: string;
  root: JsonSchema;
  /** Number of references that lead here: a schema may hold itself. */
  depth: number;
  context: PromptContext;
  compile(schema: unknown, place: Place): SchemaNode;
}

export interface PromptContext {
  descriptions: ReadonlyMap<string, string>;
  examples: readonly { text: string; answer: string }[];
  instructions: string;
  /** Number of sentences of a summary. */
  sentences: number;
}
