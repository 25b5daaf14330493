/** Bends a value into the limits its schema states. */
import type { JsonSchema } from './json-schema.ts';
import { exampleOf, safePattern } from './pattern.ts';
import { firstCharacters } from './sentences.ts';

/** The nearest number that the schema allows. */
export function fitNumber(value: number, schema: JsonSchema, integer: boolean): number {
  const step = schema.multipleOf && schema.multipleOf > 0 ? schema.multipleOf : integer ? 1 : 0;
  let low = schema.minimum ?? Number.NEGATIVE_INFINITY;
  let high = schema.maximum ?? Number.POSITIVE_INFINITY;
  const margin =
    step ||
    Math.max(1e-6, Math.abs(schema.exclusiveMinimum ?? schema.exclusiveMaximum ?? 0) * 1e-9);
  if (schema.exclusiveMinimum !== undefined)
    low = Math.max(low, schema.exclusiveMinimum + (step ? 1e-9 : margin));
  if (schema.exclusiveMaximum !== undefined)
    high = Math.min(high, schema.exclusiveMaximum - (step ? 1e-9 : margin));
  let fitted = Math.min(high, Math.max(low, value));
  if (step) {
    fitted = Math.round(fitted / step) * step;
    if (fitted < low) fitted = Math.ceil(low / step) * step;
    if (fitted > high) fitted = Math.floor(high / step) * step;
  }
  return fitted === 0 ? 0 : fitted;
}

/** A string within length, pattern and format, from the candidates if one of them can be; `fallback` is bent into shape. */
export function fitString(
  candidates: readonly string[],
  schema: JsonSchema,
  fallback: string,
): { value: string; found: boolean } {
  const pattern = typeof schema.pattern === 'string' ? safePattern(schema.pattern) : null;
  for (const candidate of candidates) {
    const value = sized(candidate, schema);
    if (value === candidate || typeof schema.pattern !== 'string') {
      if (typeof schema.pattern !== 'string' || pattern?.test(value.slice(0, 1_000)))
        return { value, found: true };
    }
  }
  const made = typeof schema.pattern === 'string' ? exampleOf(schema.pattern) : null;
  return { value: padded(sized(made ?? fallback, schema), schema), found: false };
}

function sized(value: string, schema: JsonSchema): string {
  const cut =
    schema.maxLength === undefined ? value : firstCharacters(value, Math.max(0, schema.maxLength));
  return padded(cut, schema);
}

/** JSON Schema counts code points, and so does the padding. */
function padded(value: string, schema: JsonSchema): string {
  const missing = (schema.minLength ?? 0) - [...value.slice(0, (schema.minLength ?? 0) * 2)].length;
  return missing > 0 && missing <= 10_000 ? value + '.'.repeat(missing) : value;
}

/** What stands for "nothing found" where null is not allowed: empty, or the emptiest value of a format. */
export function emptyString(format: string | undefined): string {
  switch (format) {
    case 'date':
      return '1970-01-01';
    case 'date-time':
      return '1970-01-01T00:00:00Z';
    case 'time':
      return '00:00:00Z';
    case 'duration':
      return 'PT0S';
    case 'email':
    case 'idn-email':
      return 'unknown@example.com';
    case 'hostname':
    case 'idn-hostname':
      return 'example.com';
    case 'ipv4':
      return '0.0.0.0';
    case 'ipv6':
      return '::';
    case 'uuid':
      return '00000000-0000-0000-0000-000000000000';
    case 'uri':
    case 'url':
    case 'iri':
      return 'https://example.com/';
    default:
      return '';
  }
}
