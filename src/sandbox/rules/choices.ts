/** Enums, booleans and lists of enum values: the leaves where a rule chooses. */
import { type Choice, compileChoice } from './choose.ts';
import type { Item } from './item.ts';
import { isObject, type JsonSchema } from './json-schema.ts';
import { compileJudgement } from './judge.ts';
import { type Filled, nothing, type Place, type SchemaNode } from './node.ts';
import { compileNumber } from './number-node.ts';
import { describedNames } from './prompt.ts';

/** For several labels: every category at least this good beside the best one, and not hopeless alone. */
const RELATIVE_FIT = 0.5;
const MAX_LABELS = 3;

export function compileEnum(schema: JsonSchema, place: Place): SchemaNode {
  const values = (schema.enum ?? []).filter((value) => value !== null);
  const nullable = (schema.enum ?? []).includes(null);
  if (values.length === 0) return constant(null);
  if (values.every((value) => typeof value === 'number'))
    return nearestNumber(values, schema, place);
  const names = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  const question = [place.name, place.description, place.context.instructions].join(' ');
  const choose = compileChoice(names, {
    descriptions: new Map([...describedNames(place.description), ...place.context.descriptions]),
    examples: labelled(names, place),
    question,
  });

  const filled = (choice: Choice, at: number): Filled => {
    const score = choice.confidences[at] ?? 0;
    const value = values[at];
    return { value, score, found: true, decisions: isScalar(value) ? [{ value, score }] : [] };
  };
  return {
    fill(item) {
      const choice = choose(item);
      if (nullable && choice.scores[choice.best] === 0) return nothing(null);
      return filled(choice, choice.best);
    },
    all(item) {
      const choice = choose(item);
      const top = choice.scores[choice.best] ?? 0;
      if (top === 0) return [];
      return [...choice.scores.keys()]
        .filter((at) => (choice.scores[at] as number) >= RELATIVE_FIT * top)
        .sort((a, b) => (choice.scores[b] as number) - (choice.scores[a] as number) || a - b)
        .slice(0, MAX_LABELS)
        .map((at) => {
          const one = filled(choice, at);
          // Among several labels each stands for itself: its fit beside the best one's, times how sure the best is.
          const score = Math.min(
            1,
            Math.max(
              one.score,
              ((choice.scores[at] as number) / top) * (choice.confidences[choice.best] as number),
            ),
          );
          return { ...one, score, decisions: one.decisions.map(({ value }) => ({ value, score })) };
        });
    },
  };
}

export function compileBoolean(place: Place): SchemaNode {
  const own = `${place.name} ${place.description}`.trim();
  const judge = compileJudgement(own || place.context.instructions);
  const fill = (item: Item): Filled => {
    const { probability } = judge(item);
    const value = probability > 0.5;
    const score = value ? probability : 1 - probability;
    return { value, score, found: true, decisions: [{ value, score }] };
  };
  return { fill, all: (item) => [fill(item)] };
}

export function constant(value: unknown): SchemaNode {
  const filled: Filled = { value, score: 1, found: true, decisions: [] };
  return { fill: () => filled, all: () => [filled] };
}

/** A rating of 1, 2, 3: the number that the text names, or the one its feeling falls on. */
function nearestNumber(values: readonly unknown[], schema: JsonSchema, place: Place): SchemaNode {
  const numbers = values.filter((value) => typeof value === 'number');
  const bounds = { minimum: Math.min(...numbers), maximum: Math.max(...numbers) };
  const inner = compileNumber({ ...schema, ...bounds }, place, false);
  const fill = (item: Item): Filled => {
    const filled = inner.fill(item);
    const wanted = Number(filled.value);
    const value = numbers.reduce((best, one) =>
      Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best,
    );
    const score = filled.found ? filled.score : 1 / numbers.length;
    return { ...filled, value, found: true, score, decisions: [{ value, score }] };
  };
  return { fill, all: (item) => [fill(item)] };
}

/** Few-shot answers that name these categories, as JSON or as plain text. */
function labelled(
  names: readonly string[],
  { context, name }: Place,
): { text: string; labels: string[] }[] {
  const known = new Set(names);
  return context.examples.flatMap(({ text, answer }) => {
    const labels = labelsIn(answer, name).filter((label) => known.has(label));
    return labels.length > 0 ? [{ text, labels }] : [];
  });
}

function labelsIn(answer: string, property: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    return [answer.trim()];
  }
  if (isObject(parsed) && Object.hasOwn(parsed, property)) parsed = parsed[property];
  else if (isObject(parsed)) parsed = Object.values(parsed);
  return [parsed].flat(2).filter((value) => typeof value === 'string');
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
