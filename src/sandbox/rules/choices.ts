/** Enums and booleans: the leaves where a rule chooses. */
import { compileChoice, compileJudgement } from './choose.ts';
import type { JsonSchema } from './json-schema.ts';
import { type Decision, type Filled, nothing, type Place, type SchemaNode } from './node.ts';
import { describedNames } from './prompt.ts';

/** Each of several labels must be this good beside the best one. */
const relativeFit = 0.5;
const maxLabels = 3;

export function compileEnum(schema: JsonSchema, place: Place): SchemaNode {
  const values = (schema.enum ?? []).filter((value) => value !== null);
  const isNullable = values.length < (schema.enum?.length ?? 0);
  const names = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  const choose = compileChoice(names, {
    descriptions: new Map([...describedNames(place.description), ...place.context.descriptions]),
    examples: place.context.examples.map(({ text, answer }) => ({
      text,
      labels: labelsIn(answer),
    })),
  });
  const chosen = (at: number, score: number): Filled => {
    const value = values[at] as Decision['value'];
    return { value, score, decisions: Object(value) === value ? [] : [{ value, score }] };
  };
  return {
    fill(text) {
      const { best, scores, confidences } = choose(text);
      if (values.length === 0 || (isNullable && scores[best] === 0)) return nothing(null);
      return chosen(best, confidences[best] ?? 0);
    },
    all(text) {
      const { best, scores } = choose(text);
      const least = relativeFit * (scores[best] ?? 0);
      return [...scores.entries()]
        .filter(([, score]) => score > 0 && score >= least)
        .sort(([, a], [, b]) => b - a)
        .slice(0, maxLabels)
        .map(([at, score]) => chosen(at, Math.min(0.95, 0.4 + score)));
    },
  };
}

/** Every string in a few-shot answer may be a label, and so may the answer. */
const labelsIn = (answer: string): string[] =>
  (answer.match(/"(?:[^"\\]|\\.)*"/g) ?? []).map((json) => json.slice(1, -1)).concat(answer.trim());

export function compileBoolean({ name, description, context }: Place): SchemaNode {
  const judge = compileJudgement(`${name} ${description}`.trim() || context.instructions);
  const fill = (text: string): Filled => {
    const probability = judge(text);
    const value = probability > 0.5;
    const score = value ? probability : 1 - probability;
    return { value, score, decisions: [{ value, score }] };
  };
  return { fill, all: (text) => [fill(text)] };
}
