/** The formats of strings and numbers that answers are held to. */
import { fullFormats } from 'ajv-formats/dist/formats.js';

/** As ajv's formats are, but for those that check nothing. */
interface Format {
  type?: string;
  validate: RegExp | ((value: unknown) => boolean);
}

/** Test of the format of this name. Null for an unknown name, which asks for nothing. */
export function createFormatCheck(name: string): ((value: unknown) => boolean) | null {
  // A text states a time and seldom its zone: a model that must write one invents it.
  const kind = name === 'time' || name === 'date-time' ? `iso-${name}` : name;
  const found: unknown = Object.hasOwn(fullFormats, kind)
    ? fullFormats[kind as keyof typeof fullFormats]
    : true;
  if (typeof found !== 'object' && typeof found !== 'function') return null;
  const given =
    found instanceof RegExp || typeof found === 'function' ? { validate: found } : found;
  const { type = 'string', validate } = given as Format;
  const test =
    validate instanceof RegExp ? (value: unknown) => validate.test(String(value)) : validate;
  return (value) => typeof value !== type || test(value);
}

const words: ReadonlyMap<string, string> = new Map([
  ['date', 'must be a date, YYYY-MM-DD'],
  ['time', 'must be a time, such as 15:00:00, with or without a zone'],
  ['date-time', 'must be a date and time, such as 2026-03-01T15:00:00, with or without a zone'],
]);

/** Message for a value that does not have this format. */
export function formatWords(name: string): string {
  return words.get(name) ?? `must match format ${JSON.stringify(name)}`;
}
