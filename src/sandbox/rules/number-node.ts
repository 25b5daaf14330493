/** Numbers: the one in the text that fits what the property is called. */
import { type FoundNumber, findNumbers, type NumberUnit } from './find/numbers.ts';
import type { Item } from './item.ts';
import { labelKey } from './item.ts';
import type { JsonSchema } from './json-schema.ts';
import { numberKind } from './kinds.ts';
import { fitNumber } from './limits.ts';
import { closeness } from './near.ts';
import { type Filled, nothing, type Place, type SchemaNode } from './node.ts';
import { nameToText, terms, words } from './text.ts';

export function compileNumber(schema: JsonSchema, place: Place, integer: boolean): SchemaNode {
  const kind = numberKind(place.name, place.description);
  const cues = terms(`${nameToText(place.name)} ${place.description.slice(0, 200)}`).content;
  const key = labelKey(place.name);
  const bounded = (value: number): number =>
    fitNumber(integer ? Math.round(value) : value, schema, integer);

  const score = (found: FoundNumber): number =>
    found.score * suits(kind, found.unit) * (inRange(found.value, schema) ? 1 : 0.3);
  const toFilled = (found: FoundNumber): Filled => ({
    value: bounded(found.value),
    score: Math.min(0.98, score(found) + 0.2),
    found: true,
    decisions: [],
    at: found.at,
  });

  return {
    fill(item, near) {
      if (kind === 'words') return sure(bounded(words(item.text).length));
      if (kind === 'sentiment')
        return {
          ...sure(bounded(scaled((1 + item.sentiment.valence) / 2, schema, -1, 1))),
          score: Math.max(0.3, Math.abs(item.sentiment.valence)),
        };
      const labelled = key ? item.labelled.get(key) : undefined;
      const own = labelled === undefined ? undefined : findNumbers(labelled)[0];
      if (own) return { ...toFilled(own), score: 0.97 };
      let best: FoundNumber | null = null;
      let top = 0;
      for (const found of findNumbers(item.text)) {
        const value = score(found) * (1 + closeness(item.text, found, cues, near));
        if (value > top) {
          top = value;
          best = found;
        }
      }
      if (best) return toFilled(best);
      if (kind === 'rating' && feels(item))
        return {
          ...sure(bounded(scaled((1 + item.sentiment.valence) / 2, schema, 1, 5))),
          score: 0.4,
        };
      return nothing(bounded(0));
    },
    all(item) {
      return findNumbers(item.text)
        .filter((found) => score(found) > 0.2)
        .map(toFilled);
    },
  };
}

function sure(value: number): Filled {
  return { value, score: 0.9, found: true, decisions: [] };
}

function feels({ sentiment }: Item): boolean {
  return sentiment.positive + sentiment.negative > 0;
}

function scaled(share: number, schema: JsonSchema, low: number, high: number): number {
  const from = schema.minimum ?? low;
  const to = schema.maximum ?? high;
  return Math.round((from + share * (to - from)) * 100) / 100;
}

function inRange(value: number, schema: JsonSchema): boolean {
  return (
    value >= (schema.minimum ?? Number.NEGATIVE_INFINITY) &&
    value <= (schema.maximum ?? Number.POSITIVE_INFINITY)
  );
}

/** How well a number with one unit answers a question for another; 0 rules it out. */
function suits(wanted: NumberUnit | 'sentiment' | 'words', unit: NumberUnit): number {
  if (wanted === unit) return 1;
  switch (wanted) {
    case 'money':
      return unit === 'plain' ? 0.45 : 0;
    case 'percent':
    case 'age':
    case 'rating':
    case 'duration':
      return unit === 'plain' ? 0.35 : 0;
    case 'year':
      return 0;
    case 'plain':
      return unit === 'money'
        ? 0.3
        : unit === 'year' || unit === 'ordinal' || unit === 'clock'
          ? 0.1
          : 0.4;
    default:
      return 0.3;
  }
}
