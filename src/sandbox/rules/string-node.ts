/** Strings: by the kind of thing that the property's name asks for, else by what the text says nearest to it. */
import { findDates } from './find/dates.ts';
import { type Found, isoTime } from './find/patterns.ts';
import { inIsoForm } from './iso-codes.ts';
import type { Item } from './item.ts';
import { labelKey } from './item.ts';
import type { JsonSchema } from './json-schema.ts';
import { findStrings, type StringKind, stringKind } from './kinds.ts';
import { emptyString, fitString } from './limits.ts';
import { closeness } from './near.ts';
import { type Filled, nothing, type Place, type SchemaNode } from './node.ts';
import { closestSentence } from './sentences.ts';
import { summarize } from './summary.ts';
import { nameToText, terms } from './text.ts';

/** Below this a sentence has too little to do with the question to be its answer. */
const LEAST_OVERLAP = 0.34;

export function compileString(schema: JsonSchema, place: Place): SchemaNode {
  const format = typeof schema.format === 'string' ? schema.format : undefined;
  const kind = stringKind(place.name, place.description, format);
  const question = terms(`${nameToText(place.name)} ${place.description.slice(0, 300)}`);
  const cues = terms(nameToText(place.name)).content;
  const key = labelKey(place.name);
  const empty = emptyString(format);

  const toFilled = (found: Found): Filled => {
    const value = formatted(inIsoForm(found.value, place.description), format);
    const fitted = value === null ? null : fitString([value], schema, empty);
    return fitted?.found
      ? { value: fitted.value, score: found.score, found: true, decisions: [], at: found.at }
      : nothing(fitString([], schema, empty).value);
  };

  const candidates = (item: Item): Found[] => {
    if (kind === null) return [];
    if (kind === 'summary')
      return [{ value: summarize(item, place.context.summary), at: 0, length: 0, score: 0.6 }];
    if (kind === 'headline')
      return [
        {
          value: summarize(item, { sentences: 1, words: 10, characters: null }),
          at: 0,
          length: 0,
          score: 0.5,
        },
      ];
    return findStrings(kind, item);
  };

  return {
    fill(item, near) {
      const labelled = key ? item.labelled.get(key) : undefined;
      if (labelled) {
        const filled = toFilled({
          value: labelled,
          at: item.text.indexOf(labelled),
          length: labelled.length,
          score: 0.95,
        });
        if (filled.found) return filled;
      }
      const found = best(candidates(item), item, cues, near);
      if (found) {
        const filled = toFilled(found);
        if (filled.found) return filled;
      }
      const patterned = byPattern(item, schema);
      if (patterned) return toFilled(patterned);
      if (kind === null || kind === 'statement') {
        const said = statement(item, question, kind);
        if (said) return toFilled(said);
      }
      return nothing(fitString([], schema, empty).value);
    },
    all(item) {
      const seen = new Set<unknown>();
      return (kind === null ? general(item, place) : candidates(item))
        .map(toFilled)
        .filter(({ found, value }) => found && !seen.has(value) && seen.add(value));
    },
  };
}

function best(
  all: readonly Found[],
  item: Item,
  cues: readonly string[],
  near: number | undefined,
): Found | null {
  let top: Found | null = null;
  let most = 0;
  for (const found of all) {
    const value =
      found.score * (1 + (all.length > 1 ? closeness(item.text, found, cues, near) : 0));
    if (value > most) {
      most = value;
      top = found;
    }
  }
  return top;
}

/** Reasons and the like are sentences of the text; anything else only where a sentence is about it. */
function statement(
  item: Item,
  question: ReturnType<typeof terms>,
  kind: StringKind | null,
): Found | null {
  const close = closestSentence(item.sentences, question);
  if (close && close.score >= LEAST_OVERLAP)
    return { value: close.sentence, at: 0, length: 0, score: 0.3 + close.score * 0.4 };
  const lead = item.sentences[0];
  return kind === 'statement' && lead ? { value: lead, at: 0, length: 0, score: 0.3 } : null;
}

/** Lists of nothing in particular: points are sentences, all else is keywords. */
function general(item: Item, { name, description }: Place): Found[] {
  const asked = nameToText(`${name} ${description}`).toLowerCase();
  if (
    /\b(?:points?|sentences?|facts?|steps?|actions?|takeaways?|highlights?|claims?|pros|cons)\b/.test(
      asked,
    )
  ) {
    return item.sentences.slice(0, 5).map((value) => ({ value, at: 0, length: 0, score: 0.5 }));
  }
  return findStrings('keyword', item);
}

function byPattern(item: Item, schema: JsonSchema): Found | null {
  if (typeof schema.pattern !== 'string') return null;
  for (const word of item.text.slice(0, 4_000).split(/[\s,;]+/)) {
    const value = word.replace(/[.!?)]+$/, '');
    if (value && fitString([value], schema, '').found)
      return { value, at: 0, length: 0, score: 0.6 };
  }
  return null;
}

/** The value in the shape its `format` demands; null where it has none. */
function formatted(value: string, format: string | undefined): string | null {
  if (format === 'date') return findDates(value)[0]?.iso ?? null;
  if (format === 'date-time') {
    const iso = findDates(value)[0]?.iso;
    return iso ? `${iso}T00:00:00Z` : null;
  }
  if (format === 'time') {
    const time = isoTime(value);
    return time ? `${time}Z` : null;
  }
  if (format === 'uri' || format === 'url')
    return /^www\./i.test(value)
      ? `https://${value}`
      : /^[a-z][a-z\d+.-]*:\/\/[\w.-]+(?:[/:?#][\w\-./?%&=#:~+,;@!]*)?$/i.test(value)
        ? value
        : null;
  if (format === 'email')
    return /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/.test(value) && !/^\.|\.\.|\.@/.test(value)
      ? value
      : null;
  return format === undefined || format === 'idn-email' ? value : null;
}
