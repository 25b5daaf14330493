/**
 * Size limits of strict structured output, from OpenAI's guide (2026). Larger schemas are refused.
 */
import type { JsonSchema } from '../../model/model.ts';
import { isObject } from '../answer.ts';
import { everySchema } from './subschemas.ts';

export const STRICT_NAME = /^[\w-]{1,64}$/;
export const MAX_NESTING = 10;

const MAX_PROPERTIES = 5_000;
const MAX_ENUM_VALUES = 1_000;
/** Names of properties and definitions, enum and const values together. */
const MAX_TOTAL_LENGTH = 120_000;
const LARGE_ENUM = 250;
const MAX_LARGE_ENUM_LENGTH = 15_000;

/** Which limits a schema of the strict subset exceeds, in words for a developer. */
export function limitProblems(root: JsonSchema): string[] {
  const problems = new Set<string>();
  let properties = 0;
  let enumValues = 0;
  let totalLength = 0;
  for (const { schema } of everySchema(root)) {
    const names = [schema.properties, schema.$defs, schema.definitions]
      .filter(isObject)
      .map(Object.keys);
    const values = [schema.enum ?? []].flat().map(String);
    const valuesLength = sumLengths(values);

    properties += isObject(schema.properties) ? Object.keys(schema.properties).length : 0;
    enumValues += values.length;
    totalLength += sumLengths(names.flat()) + valuesLength;
    if (values.length > LARGE_ENUM && valuesLength > MAX_LARGE_ENUM_LENGTH) {
      problems.add(`an enum of over ${LARGE_ENUM} values and ${MAX_LARGE_ENUM_LENGTH} characters`);
    }
  }
  if (properties > MAX_PROPERTIES) {
    problems.add(`more than ${MAX_PROPERTIES} properties`);
  }
  if (enumValues > MAX_ENUM_VALUES) {
    problems.add(`more than ${MAX_ENUM_VALUES} enum values`);
  }
  if (totalLength > MAX_TOTAL_LENGTH) {
    problems.add(`more than ${MAX_TOTAL_LENGTH} characters of names and values`);
  }
  return [...problems];
}

function sumLengths(values: readonly string[]): number {
  return values.reduce((sum, { length }) => sum + length, 0);
}
