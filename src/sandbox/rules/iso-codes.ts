/** Languages and countries by their ISO codes, where the prompt asks for these. */
import { languageNamed } from './language.ts';
import { languages } from './lexicons/languages.ts';

const otherNames: ReadonlyMap<string, string> = new Map([
  ['usa', 'US'],
  ['u.s.', 'US'],
  ['uk', 'GB'],
  ['england', 'GB'],
  ['scotland', 'GB'],
  ['wales', 'GB'],
  ['uae', 'AE'],
  ['turkey', 'TR'],
  ['czech republic', 'CZ'],
]);

let countries: ReadonlyMap<string, string> | null = null;

/**
 * A value in the form that a field's description asks for; as it is where that asks for none, or
 * the code is not known.
 */
export function inIsoForm(value: string, description: string): string {
  if (/ISO 639/.test(description)) {
    return languages[languageNamed(value)]?.codes.split(' ')[0] ?? value;
  }
  if (!/ISO 3166/.test(description)) return value;
  countries ??= countryCodes();
  return countries.get(value.toLowerCase()) ?? value;
}

function countryCodes(): ReadonlyMap<string, string> {
  const names = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
  const codes = letters.flatMap((first) => letters.map((second) => first + second));
  const known = codes.flatMap((code) => {
    const name = names.of(code);
    return name ? [[name.toLowerCase(), code] as const] : [];
  });
  return new Map([...known, ...otherNames]);
}
