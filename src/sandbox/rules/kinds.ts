/** What a property asks for, by its name, its description and its format; and where to look for it. */
import { findDates } from './find/dates.ts';
import {
  findCities,
  findCompanies,
  findCountries,
  findPeople,
  findProducts,
  findTitles,
} from './find/names.ts';
import { findCurrencies, findNumbers, type NumberUnit } from './find/numbers.ts';
import {
  type Found,
  findAddresses,
  findCodes,
  findEmails,
  findPhones,
  findPostcodes,
  findQuoted,
  findTimes,
  findUrls,
} from './find/patterns.ts';
import type { Item } from './item.ts';
import { keywordsOf } from './keywords.ts';
import { guessLanguage } from './language.ts';
import { nameToText, words } from './text.ts';
import { guessTopic } from './topic.ts';

export type StringKind = keyof typeof finders;

const firstName = (found: Found): Found[] => {
  const parts = found.value.split(' ');
  return parts.length > 1 || found.score > 0.7 ? [{ ...found, value: parts[0] ?? '' }] : [];
};
const lastName = (found: Found): Found[] => {
  const parts = found.value.split(' ');
  return parts.length > 1 || found.score <= 0.7
    ? [{ ...found, value: parts.slice(1).join(' ') || found.value }]
    : [];
};
const whole = (value: string | null | undefined, score: number): Found[] =>
  value ? [{ value, at: 0, length: 0, score }] : [];

/** How to find every kind of string; most certain kinds have the most certain scores. */
const finders = {
  email: ({ text }: Item) => findEmails(text),
  phone: ({ text }: Item) => findPhones(text),
  url: ({ text }: Item) => findUrls(text),
  date: ({ text }: Item): Found[] => findDates(text),
  time: ({ text }: Item) => findTimes(text),
  currency: ({ text }: Item) => findCurrencies(text),
  country: ({ text }: Item) => findCountries(text),
  city: ({ text }: Item) => findCities(text),
  postcode: ({ text }: Item) => findPostcodes(text),
  address: ({ text }: Item) => findAddresses(text),
  location: ({ text }: Item) => {
    const address = findAddresses(text);
    return address.length > 0
      ? address
      : [...findCities(text), ...findCountries(text)].sort((a, b) => a.at - b.at);
  },
  firstName: ({ text }: Item) => findPeople(text).flatMap(firstName),
  lastName: ({ text }: Item) => findPeople(text).flatMap(lastName),
  company: ({ text }: Item) => findCompanies(text),
  title: ({ text }: Item) => findTitles(text),
  person: ({ text }: Item) => findPeople(text),
  product: ({ text }: Item) => findProducts(text),
  code: ({ text }: Item) => findCodes(text),
  quote: ({ text }: Item) => findQuoted(text),
  money: ({ text }: Item) => numbersAs(text, ['money']),
  percent: ({ text }: Item) => numbersAs(text, ['percent']),
  year: ({ text }: Item) => numbersAs(text, ['year']),
  age: ({ text }: Item) => numbersAs(text, ['age']),
  duration: ({ text }: Item) => numbersAs(text, ['duration']),
  quantity: ({ text }: Item) => numbersAs(text, ['plain']),
  language: ({ text }: Item) => {
    const guess = guessLanguage(text);
    return whole(guess?.name, guess?.score ?? 0);
  },
  sentiment: ({ sentiment }: Item) =>
    whole(
      sentiment.valence > 0.25 ? 'positive' : sentiment.valence < -0.25 ? 'negative' : 'neutral',
      Math.max(0.4, Math.abs(sentiment.valence)),
    ),
  topic: (item: Item) => {
    const topic = guessTopic(item);
    return whole(topic?.name, topic?.score ?? 0);
  },
  keyword: (item: Item) =>
    keywordsOf(item, 8).map((value, at) => ({ value, at, length: 0, score: 0.7 - at * 0.05 })),
  question: ({ sentences }: Item) =>
    sentences
      .filter((sentence) => sentence.includes('?'))
      .map((value, at) => ({ value, at, length: 0, score: 0.8 })),
  summary: (): Found[] => [],
  headline: (): Found[] => [],
  statement: (): Found[] => [],
} satisfies Record<string, (item: Item) => Found[]>;

export function findStrings(kind: StringKind, item: Item): Found[] {
  return finders[kind](item);
}

/** The text's own words for a number: "7 people" is asked for as a string now and then. */
function numbersAs(text: string, units: readonly NumberUnit[]): Found[] {
  return findNumbers(text)
    .filter(({ unit }) => units.includes(unit))
    .map((found) => ({ ...found, value: text.slice(found.at, found.at + found.length).trim() }));
}

/** Checked in order; the first kind with a word in the name wins, then the first with one in the description. */
const stringWords: readonly (readonly [StringKind, string])[] = [
  ['email', 'email mail'],
  ['phone', 'phone telephone mobile fax tel'],
  ['url', 'url link website homepage uri webpage'],
  ['firstName', 'firstname forename given'],
  ['lastName', 'lastname surname family'],
  ['title', 'position role occupation profession'],
  ['title', 'job'],
  ['currency', 'currency currencies'],
  ['country', 'country nation countries'],
  ['postcode', 'zip postcode postal zipcode'],
  ['city', 'city town cities'],
  ['address', 'address street'],
  ['location', 'location place where venue region destination locations places'],
  ['date', 'date day deadline birthday dob when due dates born'],
  ['time', 'time hour'],
  [
    'company',
    'company organization organisation employer firm vendor brand business manufacturer supplier companies organizations organisations merchant',
  ],
  ['summary', 'summary abstract overview gist tldr synopsis'],
  [
    'statement',
    'reason reasoning explanation rationale justification why evidence cause comment note notes details description',
  ],
  ['language', 'language lang'],
  ['sentiment', 'sentiment tone mood feeling emotion polarity'],
  ['topic', 'topic category theme subject genre industry sector department class type'],
  ['keyword', 'keywords keyword tags tag topics themes entities concepts skills'],
  ['code', 'id code number reference sku ticket invoice identifier ref'],
  ['product', 'product item model device products items'],
  ['question', 'question questions'],
  ['quote', 'quote quotation'],
  ['headline', 'headline heading'],
  ['money', 'price amount cost revenue salary total budget fee value income profit'],
  ['percent', 'percent percentage share'],
  ['year', 'year'],
  ['age', 'age'],
  ['duration', 'duration length period'],
  ['quantity', 'people guests party quantity count size seats number'],
  [
    'person',
    'person name author customer contact speaker who sender recipient manager ceo founder owner candidate employee patient names persons authors buyer seller',
  ],
  ['title', 'title'],
];
const stringIndex: readonly (readonly [StringKind, ReadonlySet<string>])[] = stringWords.map(
  ([kind, list]) => [kind, new Set(list.split(' '))],
);

const formats = new Map<string, StringKind>(
  Object.entries({
    email: 'email',
    'idn-email': 'email',
    uri: 'url',
    url: 'url',
    date: 'date',
    'date-time': 'date',
    time: 'time',
  } as const),
);

/** Names that mean another thing as a pair of words than as single ones. */
const pairs: readonly (readonly [RegExp, StringKind])[] = [
  [/\bfirst name\b/, 'firstName'],
  [/\b(?:last|family) name\b/, 'lastName'],
  [/\bjob title\b/, 'title'],
  [/\b(?:article|book|movie|page|document) title\b/, 'headline'],
  [/\b(?:company|organi[sz]ation|business|brand|vendor|merchant) name\b/, 'company'],
  [/\bproduct name\b/, 'product'],
  [/\be mail\b/, 'email'],
  [/\bphone number\b/, 'phone'],
];

export function stringKind(
  name: string,
  description: string,
  format: string | undefined,
): StringKind | null {
  const byFormat = format ? formats.get(format) : undefined;
  return byFormat ?? kindOf(name) ?? kindOf(description);
}

function kindOf(text: string): StringKind | null {
  if (!text) return null;
  const parts = words(nameToText(text)).slice(0, 40);
  const joined = parts.join(' ');
  const pair = pairs.find(([shape]) => shape.test(joined));
  if (pair) return pair[1];
  const own = new Set(parts);
  for (const [kind, known] of stringIndex) {
    for (const word of known) if (own.has(word)) return kind;
  }
  return null;
}

const unitWords: readonly (readonly [NumberUnit | 'sentiment' | 'words', RegExp])[] = [
  ['sentiment', /\b(?:sentiment|polarity|valence)\b/],
  ['words', /\bword count\b|\bnumber of words\b/],
  ['percent', /\b(?:percent\w*|pct|ratio|share)\b/],
  ['year', /\b(?:years?|founded|established)\b(?! old)/],
  ['age', /\b(?:age|years old)\b/],
  ['rating', /\b(?:rating|stars?|score|grade|rank)\b/],
  [
    'money',
    /\b(?:price|amount|cost|revenue|salary|total|budget|fee|income|profit|usd|eur|gbp|value|sales|paid|payment|money|worth|funding|valuation|balance|currency|dollars)\b/,
  ],
  ['duration', /\b(?:duration|minutes|hours|days|weeks|months|seconds|time)\b/],
];

/** Which numbers a numeric property wants; `plain` for counts and all else. */
export function numberKind(name: string, description: string): NumberUnit | 'sentiment' | 'words' {
  for (const text of [name, description]) {
    const asked = words(nameToText(text)).slice(0, 40).join(' ');
    const unit = unitWords.find(([, shape]) => shape.test(asked));
    if (unit) return unit[0];
  }
  return 'plain';
}
