/** Size limits of strict structured output, from OpenAI's guide (2026). */
import { isRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { everySchema } from './subschemas.ts';

export const strictName = /^[\w-]{1,64}$/;
export const maxNesting = 10;

const maxProperties = 5_000;
const maxEnumValues = 1_000;
/** Names of properties and definitions, enum and const values together. */
const maxTotalLength = 120_000;
const largeEnum = 250;
const maxLargeEnumLength = 15_000;

/** Which limits a schema of the strict subset exceeds, in words for a developer. */
export function limitProblems(root: JsonSchema): string[] {
  const problems = new Set<string>();
  let properties = 0;
  let enumValues = 0;
  let totalLength = 0;
  for (const { schema } of everySchema(root)) {
    const names = [schema.properties, schema.$defs, schema.definitions]
      .filter(isRecord)
      .map(Object.keys);
    const values = [schema.enum ?? []].flat().map(String);
    const valuesLength = sumLengths(values);

    properties += isRecord(schema.properties) ? Object.keys(schema.properties).length : 0;
    enumValues += values.length;
    totalLength += sumLengths(names.flat()) + valuesLength;
    if (values.length > largeEnum && valuesLength > maxLargeEnumLength) {
      problems.add(`an enum of over ${largeEnum} values and ${maxLargeEnumLength} characters`);
    }
  }
  if (properties > maxProperties) {
    problems.add(`more than ${maxProperties} properties`);
  }
  if (enumValues > maxEnumValues) {
    problems.add(`more than ${maxEnumValues} enum values`);
  }
  if (totalLength > maxTotalLength) {
    problems.add(`more than ${maxTotalLength} characters of names and values`);
  }
  return [...problems];
}

function sumLengths(values: readonly string[]): number {
  return values.reduce((sum, { length }) => sum + length, 0);
}
