/** Bends a value into the limits that its schema states. */
import type { JsonSchema } from './json-schema.ts';

/** The nearest number that the schema allows. */
export function fitNumber(value: number, schema: JsonSchema, integer: boolean): number {
  const step = schema.multipleOf && schema.multipleOf > 0 ? schema.multipleOf : integer ? 1 : 0;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const margin = step ? 1e-9 : Math.max(1e-6, Math.abs(exclusiveMinimum ?? 0) * 1e-9);
  const low = Math.max(minimum ?? -Infinity, (exclusiveMinimum ?? -Infinity) + margin);
  const high = Math.min(maximum ?? Infinity, (exclusiveMaximum ?? Infinity) - margin);
  let fitted = Math.min(high, Math.max(low, value));
  if (step) {
    fitted = Math.round(fitted / step) * step;
    if (fitted < low) fitted = Math.ceil(low / step) * step;
    if (fitted > high) fitted = Math.floor(high / step) * step;
  }
  return fitted === 0 ? 0 : fitted;
}

/** Strings that stand for "nothing found" where null is not allowed, by format. */
const emptyFormats: ReadonlyMap<string, string> = new Map(
  `date=1970-01-01 date-time=1970-01-01T00:00:00Z time=00:00:00Z duration=PT0S ipv4=0.0.0.0 ipv6=::
  email=unknown@example.com hostname=example.com uri=https://example.com/
  uuid=00000000-0000-0000-0000-000000000000`
    .split(/\s+/)
    .map((pair) => pair.split('=') as [string, string]),
);

export const emptyString = (schema: JsonSchema): string =>
  withLength(emptyFormats.get(schema.format ?? '') ?? '', schema);

/** The string within the schema's length, if its pattern then allows the string; else null. */
export function fitString(value: string, schema: JsonSchema): string | null {
  const sized = withLength(value, schema);
  const isAllowed = schema.pattern === undefined || isMatch(schema.pattern, sized);
  return isAllowed ? sized : null;
}

/** JSON Schema counts code points. */
function withLength(value: string, { minLength = 0, maxLength }: JsonSchema): string {
  const characters = [...value];
  const cut = characters.slice(0, maxLength).join('');
  const missing = Math.min(minLength, 10_000) - characters.length;
  return missing > 0 ? cut + '.'.repeat(missing) : cut;
}

/** No pattern that could crawl is run: it comes from outside, and repeated groups backtrack. */
function isMatch(pattern: string, value: string): boolean {
  if (pattern.length > 300 || /\)[*+{]|\\[1-9k]/.test(pattern)) return false;
  try {
    return new RegExp(pattern, 'u').test(value.slice(0, 1_000));
  } catch {
    return false;
  }
}
