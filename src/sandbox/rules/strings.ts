/** Strings: by the kind of thing that a property's name asks for, else the nearest sentence. */
import { datesIn } from './dates.ts';
import type { JsonSchema } from './json-schema.ts';
import { emptyString, fitString } from './limits.ts';
import { companiesIn, peopleIn } from './names.ts';
import { type Found, finder, type Place, type SchemaNode } from './node.ts';
import { closestSentence, sentencesOf, summarize } from './sentences.ts';
import { labelled, nameToText } from './text.ts';

type Find = (text: string, place: Place) => Found[];

/** Every quantifier of a shape is bounded, so that no text makes it crawl. */
const byShape =
  (shape: RegExp, score: number, codes: ReadonlyMap<string, string> = new Map()): Find =>
  (text) =>
    (text.match(shape) ?? []).slice(0, 100).map((one) => ({ value: codes.get(one) ?? one, score }));

const partOfName =
  (other: RegExp): Find =>
  (text) =>
    peopleIn(text).map(({ value, score }) => ({ value: value.replace(other, ''), score }));

const currencyCodes = new Map(Object.entries({ $: 'USD', '€': 'EUR', '£': 'GBP' }));

/** Kinds of strings by the words that name them: the first kind with a word wins. */
const kinds: readonly (readonly [RegExp, Find])[] = [
  [/\be-?mails?\b/, byShape(/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/g, 0.98)],
  [/\b(?:phone|mobile)\b/, byShape(/(?<![\w.])\+?\d{1,4}(?:[ -]?\(?\d{2,5}\)?){2,5}(?!\w)/g, 0.8)],
  [/\b(?:url|uri|link|website)\b/, byShape(/\bhttps?:\/\/[^\s<>"'`)\]]{2,300}/gi, 0.98)],
  [/\bfirst name\b/, partOfName(/ .*/)],
  [/\b(?:last|family) name|surname\b/, partOfName(/^\S+ /)],
  [/\b(?:date|day|deadline|birthday|when|due|since)\b/, datesIn],
  [/\btime\b/, byShape(/\b\d{1,2}(?::[0-5]\d)? ?[ap]\.?m\b\.?|\b\d{1,2}:[0-5]\d\b/gi, 0.9)],
  [/\b(?:company|organi[sz]ation|employer|firm|vendor|brand)\b/, companiesIn],
  [/\b(?:title|role)\b/, byShape(/\b(?:C[EFOT]O|VP of \w{2,20}|chairman|director)\b/g, 0.8)],
  [/\bcurrency\b/, byShape(/\b(?:USD|EUR|GBP|JPY|CHF)\b|[$€£]/g, 0.9, currencyCodes)],
  [/\b(?:id|code|number|reference)\b/, byShape(/\b[A-Z]{1,10}-?\d{2,12}\b/g, 0.6)],
  [/\b(?:person|people|names?|author|customer|contact|who|manager|ceo|founder)\b/, peopleIn],
  [
    /\b(?:summary|abstract|overview|headline)\b/,
    (text, { context }) => [{ value: summarize(text, context.sentences), score: 0.6 }],
  ],
];

/** A sentence that shares less with the question is not its answer. */
const leastOverlap = 0.34;

export function compileString(schema: JsonSchema, place: Place): SchemaNode {
  const { format, pattern } = schema;
  const texts = [format ?? '', place.name, place.description.slice(0, 300)];
  const asked = texts.map((text) => nameToText(text).toLowerCase());
  const [kind] = asked.flatMap((text) => kinds.filter(([shape]) => shape.test(text)));
  const ownValue = labelled(place.name);
  const answer: Find = (text) => {
    const closest = closestSentence(sentencesOf(text), asked.slice(1).join(' '));
    const { value = '', score = 0 } = closest ?? {};
    return score < leastOverlap ? [] : [{ value, score: score * 0.6 }];
  };
  const find = kind?.[1] ?? answer;
  return finder(emptyString(schema), (text) => {
    const found = ownValue(text).map((value) => ({ value, score: 0.99 }));
    const matches = pattern === undefined ? [] : text.split(/[\s,;.!?]+/, 500);
    found.push(...find(text, place), ...matches.map((value) => ({ value, score: 0.6 })));
    return found.flatMap(({ value, score }) => {
      const formatted = inFormat(value, format);
      const fitted = formatted && fitString(formatted, schema);
      return fitted ? [{ value: fitted, score }] : [];
    });
  });
}

/** The value in the shape that its format demands; null where it has none. */
function inFormat(value: string, format: string | undefined): string | null {
  const iso = datesIn(format === undefined ? '' : value)[0]?.iso;
  if (format === 'date') return iso ?? null;
  if (format === 'date-time') return iso ? `${iso}T00:00:00Z` : null;
  const email = /^\w[\w+-]*@[\w-]+(?:\.[\w-]+)+$/;
  return format === undefined || (format === 'email' && email.test(value)) ? value : null;
}
