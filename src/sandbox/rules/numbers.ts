/** Numbers: the one in the text that fits what the property is called. */
import type { JsonSchema } from './json-schema.ts';
import { fitNumber } from './limits.ts';
import { type Found, finder, type Place, type SchemaNode } from './node.ts';
import { labelled, nameToText } from './text.ts';

/** Units: the names of properties that ask for one, and how a number with the unit looks. */
const units: readonly (readonly [string, RegExp, RegExp])[] = [
  ['percent', /\b(?:percent\w*|ratio|share)\b/, /^\S+ ?(?:%|percent)/],
  ['age', /\bage\b|years old/, /^\S+[ -](?:years?[ -]old|yrs old)/],
  ['rating', /\b(?:rating|stars?|score|grade)\b/, /^\S+ ?(?:stars?\b|\/ ?(?:5|10)\b|out of )/],
  [
    'money',
    /\b(?:price|amount|cost|revenue|salary|total|budget|fee|income|profit|value|sales|paid)\b/,
    /^(?:[$€£]|usd|eur|gbp)|^\S+ ?(?:(?:million|billion) )?(?:[$€£]|(?:usd|eur|gbp|dollars?|euros?|pounds)\b)/,
  ],
  ['year', /\b(?:year|founded|established)\b/, /^(?:1[5-9]|20)\d\d(?![\d,.]\d)/],
];
const currency = '[$€£]|\\b(?:usd|eur|gbp)\\b';
const scales = { k: 1e3, thousand: 1e3, m: 1e6, million: 1e6, bn: 1e9, billion: 1e9 };
/** A number in a word, a date, a time, an address or an ordinal is not one. */
const pattern = new RegExp(
  `(?:(?:${currency}) ?)?(?<![\\w.,:/#])(?<number>-?\\d{1,3}(?:[,' ]\\d{3}){1,6}(?:\\.\\d{1,30})?|-?\\d{1,15}(?:[.,]\\d{1,30})?)(?!\\d|:\\d|(?:st|nd|rd|th)\\b)` +
    `(?: ?(?<scale>thousand|million|billion|bn|[km])\\b)?(?: ?(?:%|${currency}))?`,
  'gi',
);

interface FoundNumber extends Found<number> {
  unit: string;
}

function numbersIn(text: string): FoundNumber[] {
  const found: FoundNumber[] = [];
  for (const match of [...text.matchAll(pattern)].slice(0, 100)) {
    const { number = '', scale = '' } = match.groups ?? {};
    const plain = number.replace(/,(?=(?:\d{1,2}|\d{4,})$)/, '.').replace(/[, ']/g, '');
    const factor = scales[scale.toLowerCase() as keyof typeof scales] ?? 1;
    // 2.3 times 1e6 is 2300000 and not 2299999.9999999995.
    const value = Number((Number(plain) * factor).toPrecision(15));
    const shown = text.slice(match.index, match.index + match[0].length + 12).toLowerCase();
    const unit = units.find(([, , looks]) => looks.test(shown))?.[0] ?? 'plain';
    found.push({ value, unit, score: 0.7 });
  }
  return found;
}

export function compileNumber(schema: JsonSchema, { name, description }: Place): SchemaNode {
  const isInteger = [schema.type].flat().includes('integer');
  const asked = [name, description.slice(0, 300)].map((text) => nameToText(text).toLowerCase());
  const byName = asked.flatMap((text) => units.filter(([, names]) => names.test(text)));
  const wanted = byName[0]?.[0] ?? 'plain';
  const { minimum = -Infinity, maximum = Infinity } = schema;
  const bounded = (value: number): number =>
    fitNumber(isInteger ? Math.round(value) : value, schema, isInteger);
  const own = labelled(name);
  return finder(bounded(0), (text) => {
    const told = own(text).flatMap((value) => numbersIn(value).slice(0, 1));
    const found = told.length > 0 ? told.map((one) => ({ ...one, unit: wanted })) : numbersIn(text);
    return found
      .map(({ value, unit }) => {
        const fit = suits(wanted, unit) * (value < minimum || value > maximum ? 0.3 : 1);
        return { value: bounded(value), score: 0.9 * fit };
      })
      .filter(({ score }) => score > 0);
  });
}

/** Fit of a number with one unit to a question for another; 0 rules the number out. */
function suits(wanted: string, unit: string): number {
  if (wanted === unit) return 1;
  if (wanted === 'year' || unit === 'year') return wanted === 'plain' ? 0.1 : 0;
  return unit === 'plain' ? 0.5 : wanted === 'plain' ? 0.3 : 0;
}
