/** Numbers and what they count: money with its scale, percentages, years, ages, and words such as "two". */
import type { Found } from './patterns.ts';
import { MAX_FOUND } from './patterns.ts';

export type NumberUnit =
  | 'money'
  | 'percent'
  | 'year'
  | 'age'
  | 'rating'
  | 'duration'
  | 'ordinal'
  | 'clock'
  | 'plain';

export interface FoundNumber extends Found<number> {
  unit: NumberUnit;
  /** ISO 4217 code where a currency stands beside the number. */
  currency: string | null;
}

const scales = new Map<string, number>(
  Object.entries({
    k: 1e3,
    thousand: 1e3,
    grand: 1e3,
    m: 1e6,
    mm: 1e6,
    mn: 1e6,
    mio: 1e6,
    million: 1e6,
    millions: 1e6,
    b: 1e9,
    bn: 1e9,
    billion: 1e9,
    billions: 1e9,
    tn: 1e12,
    trillion: 1e12,
  }),
);

/** Signs and words of currencies, by ISO 4217 code. */
const currencies: readonly (readonly [string, RegExp])[] = [
  ['USD', /^(?:us\$|\$|usd|dollars?|bucks)$/i],
  ['EUR', /^(?:€|eur|euros?)$/i],
  ['GBP', /^(?:£|gbp|pounds?|quid)$/i],
  ['JPY', /^(?:¥|jpy|yen)$/i],
  ['CHF', /^(?:chf|francs?)$/i],
  ['INR', /^(?:₹|inr|rupees?)$/i],
  ['CAD', /^(?:c\$|cad)$/i],
  ['AUD', /^(?:a\$|aud)$/i],
  ['CNY', /^(?:cny|rmb|yuan)$/i],
  ['SEK', /^(?:sek|kronor)$/i],
  ['PLN', /^(?:pln|zloty)$/i],
];
const signs = 'us\\$|c\\$|a\\$|\\$|€|£|¥|₹';
const money =
  'usd|eur|gbp|jpy|chf|inr|cad|aud|cny|rmb|sek|pln|dollars?|bucks|euros?|pounds?|quid|yen|francs?|rupees?|yuan|kronor|zloty';

const pattern = new RegExp(
  `(?<before>(?:${signs}|\\b(?:${money})) ?)?(?<number>-?\\d{1,3}(?:[,' ]\\d{3}){1,6}(?:\\.\\d{1,30})?|-?\\d{1,15}(?:[.,]\\d{1,30})?)(?!\\d)` +
    `(?: ?(?<scale>thousand|grand|millions?|billions?|trillion|mio|mn|mm|bn|tn|[kmb])(?![\\w]))?(?: ?(?<after>%|percent|per cent|${signs}|(?:${money})\\b))?`,
  'gi',
);

const words = new Map<string, number>(
  Object.entries({
    one: 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    seven: 7,
    eight: 8,
    nine: 9,
    ten: 10,
    eleven: 11,
    twelve: 12,
    thirteen: 13,
    fourteen: 14,
    fifteen: 15,
    sixteen: 16,
    seventeen: 17,
    eighteen: 18,
    nineteen: 19,
    twenty: 20,
    thirty: 30,
    forty: 40,
    fifty: 50,
    sixty: 60,
    seventy: 70,
    eighty: 80,
    ninety: 90,
    dozen: 12,
    couple: 2,
    hundred: 100,
    thousand: 1_000,
    million: 1_000_000,
  }),
);

export function findNumbers(text: string): FoundNumber[] {
  const found: FoundNumber[] = [];
  for (const match of text.matchAll(pattern)) {
    const { before, number = '', scale, after } = match.groups ?? {};
    const start = match.index + (before?.length ?? 0);
    if (!before && /[\w.,:/]/.test(text[start - 1] ?? '')) continue;
    const value = readNumber(number) * (scales.get(scale?.toLowerCase() ?? '') ?? 1);
    if (!Number.isFinite(value)) continue;
    const currency = currencyCode(before) ?? currencyCode(after);
    const rest = text
      .slice(match.index + match[0].length, match.index + match[0].length + 16)
      .toLowerCase();
    const unit = unitOf({ value, number, scale, after, currency, rest });
    found.push({
      value: round(value),
      at: match.index,
      length: match[0].length,
      score: 0.7,
      unit,
      currency,
    });
    if (found.length >= MAX_FOUND) return found;
  }
  if (found.length < MAX_FOUND) found.push(...spelled(text));
  return found.sort((a, b) => a.at - b.at);
}

function unitOf(seen: {
  value: number;
  number: string;
  scale: string | undefined;
  after: string | undefined;
  currency: string | null;
  rest: string;
}): NumberUnit {
  const { value, number, rest } = seen;
  if (seen.after?.startsWith('%') || seen.after?.toLowerCase().startsWith('per')) return 'percent';
  if (seen.currency) return 'money';
  if (/^(?:st|nd|rd|th)\b/.test(rest)) return 'ordinal';
  if (/^(?::\d\d| ?[ap]\.?m\b| ?o['’ ]?clock)/.test(rest)) return 'clock';
  if (/^[ -]?(?:years?[ -]old|yo\b|y\/o|yrs? old)/.test(rest)) return 'age';
  if (/^(?: ?\/ ?(?:5|10|100)\b| ?stars?\b| out of )/.test(rest)) return 'rating';
  if (/^[ -]?(?:seconds?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?)\b/.test(rest))
    return 'duration';
  if (!seen.scale && /^(?:1[5-9]|20)\d\d$/.test(number) && Number.isInteger(value)) return 'year';
  return 'plain';
}

/** `1,234.5`, `1.234,5` and `1 234` as numbers; a lone comma before other than three digits is a decimal comma. */
function readNumber(text: string): number {
  if (/^-?\d+,\d{1,2}$|^-?\d+,\d{4,}$/.test(text)) return Number(text.replace(',', '.'));
  return Number(text.replace(/[, ']/g, ''));
}

/** 2.3 × 1e6 is 2300000 and not 2299999.9999999995. */
function round(value: number): number {
  return Number(value.toPrecision(15));
}

function currencyCode(text: string | undefined): string | null {
  const word = text?.trim();
  return word ? (currencies.find(([, shape]) => shape.test(word))?.[0] ?? null) : null;
}

export function findCurrencies(text: string): Found[] {
  const found = findNumbers(text).flatMap(({ currency, at, length }) =>
    currency ? [{ value: currency, at, length, score: 0.9 }] : [],
  );
  if (found.length > 0) return found;
  return [...text.matchAll(new RegExp(`\\b(?:${money})\\b|[€£¥₹]`, 'gi'))]
    .slice(0, MAX_FOUND)
    .flatMap((match) => {
      const value = currencyCode(match[0]);
      return value ? [{ value, at: match.index, length: match[0].length, score: 0.8 }] : [];
    });
}

function spelled(text: string): FoundNumber[] {
  const found: FoundNumber[] = [];
  for (const match of text.matchAll(/\b[a-z]{3,9}(?:[- ][a-z]{3,9}){0,2}\b/gi)) {
    let offset = 0;
    let sum = 0;
    let at = -1;
    let length = 0;
    for (const word of match[0].toLowerCase().split(/[- ]/)) {
      const value = words.get(word);
      if (value !== undefined) {
        sum = value >= 100 ? Math.max(1, sum) * value : sum + value;
        if (at < 0) at = match.index + offset;
        length = match.index + offset + word.length - at;
      } else if (at >= 0) break;
      offset += word.length + 1;
    }
    if (at < 0) continue;
    const rest = text.slice(at + length, at + length + 16).toLowerCase();
    const unit = unitOf({
      value: sum,
      number: '',
      scale: undefined,
      after: undefined,
      currency: null,
      rest,
    });
    found.push({ value: sum, at, length, score: sum === 1 ? 0.25 : 0.6, unit, currency: null });
    if (found.length >= MAX_FOUND) break;
  }
  return found;
}
