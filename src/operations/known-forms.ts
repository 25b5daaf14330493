/** Forms of values by a field's name alone: without one, models write en, EN and English. */

const forms: ReadonlyMap<string, string> = new Map([
  ['language', 'as its ISO 639-1 code, e.g. en'],
  ['country', 'as its ISO 3166 alpha-2 code, e.g. DE'],
  ['currency', 'as its ISO 4217 code, e.g. EUR'],
  ['sentiment', 'positive, negative, neutral or mixed'],
]);

const singulars: ReadonlyMap<string, string> = new Map([
  ['languages', 'language'],
  ['countries', 'country'],
  ['currencies', 'currency'],
  ['sentiments', 'sentiment'],
]);

/**
 * The form for a name such as language, home_country, HomeCountry, currency_code or
 * country_of_origin; null for every other. A word behind it makes it another thing: country_name,
 * sentiment_score.
 */
export function knownForm(name: string): string | null {
  const words = name
    .replace(/(\p{Ll}|\d)(?=\p{Lu})/gu, '$1 ')
    .toLowerCase()
    .split(/[^\p{L}\d]+/u)
    .filter(Boolean);
  const of = words.indexOf('of');
  const head = of > 0 ? words.slice(0, of) : words;
  const last = head.length > 1 && /^codes?$/.test(head.at(-1) ?? '') ? head.at(-2) : head.at(-1);
  return forms.get(singulars.get(last ?? '') ?? last ?? '') ?? null;
}
