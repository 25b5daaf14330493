/** A compiled schema: what the parts of the schema walker share. */
import type { Item } from './item.ts';
import type { JsonSchema } from './json-schema.ts';

/** A value among several by choice, and how sure the rule is: what log-probabilities are made of. */
export interface Decision {
  value: string | number | boolean | null;
  score: number;
}

export interface Filled {
  value: unknown;
  /** 0..1; 0 where nothing was found and the value only satisfies the schema. */
  score: number;
  found: boolean;
  /** In the order in which the values stand in the JSON. */
  decisions: readonly Decision[];
  /** Where in the text it was found. */
  at?: number | undefined;
}

export interface SchemaNode {
  /** The one best value; `near` prefers what stands near that place in the text. */
  fill(item: Item, near?: number): Filled;
  /** Every value of this kind in the text, in text order, for arrays. */
  all(item: Item): Filled[];
}

/** Where in the schema a node stands, and what the prompt says around it. */
export interface Place {
  name: string;
  description: string;
  root: JsonSchema;
  context: PromptContext;
  compile(schema: unknown, place: Place): SchemaNode;
}

export interface PromptContext {
  descriptions: ReadonlyMap<string, string>;
  examples: readonly { text: string; answer: string }[];
  /** The system message's own question, for yes and no. */
  instructions: string;
  /** The most words a summary may have, and the number of sentences, where the prompt says. */
  summary: SummaryLimits;
}

export interface SummaryLimits {
  sentences: number | null;
  words: number | null;
  characters: number | null;
}

export function nothing(value: unknown): Filled {
  return { value, score: 0, found: false, decisions: [] };
}
