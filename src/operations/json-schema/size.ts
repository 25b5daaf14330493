/** Limits on the parts of an answer schema, which cost time to read and to validate by. */
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import type { SchemaIssue } from './short-form.ts';
import { subschemas } from './subschemas.ts';

/** Longer schemas do not fit beside a text in a prompt. */
export const maxSchemaLength = 100_000;

/** Together they are read in less than 100 ms. None of a generator's schemas comes near. */
export const limits = {
  parts: { most: 3_000, what: 'schemas inside' },
  references: { most: 500, what: 'references ($ref)' },
  branches: { most: 500, what: 'branches of anyOf, oneOf and allOf' },
  values: { most: 5_000, what: 'values of enum' },
  patterns: { most: 200, what: 'patterns' },
};

type Counts = Record<keyof typeof limits, number>;

/** Issue of a schema that is too long to be looked at, as it is given. */
export function lengthIssues(given: JsonSchema): SchemaIssue[] {
  const { length } = JSON.stringify(given);
  return length > maxSchemaLength
    ? [issue(`must have at most ${maxSchemaLength} characters of JSON, not ${length}`)]
    : [];
}

/** Issues for parts of which a JSON Schema has too many. */
export function sizeIssues(root: JsonSchema): SchemaIssue[] {
  const counts: Counts = { parts: 0, references: 0, branches: 0, values: 0, patterns: 0 };
  count(root, counts);
  return Object.entries(limits)
    .filter(([name, { most }]) => counts[name as keyof Counts] > most)
    .map(([, { most, what }]) => issue(`must have at most ${most} ${what}`));
}

function issue(message: string): SchemaIssue {
  return { path: [], message };
}

function count(schema: JsonSchema, counts: Counts): void {
  counts.parts += 1;
  counts.references += Object.hasOwn(schema, '$ref') ? 1 : 0;
  counts.patterns += Object.hasOwn(schema, 'pattern') ? 1 : 0;
  counts.patterns += Object.keys(Object(ownValue(schema, 'patternProperties'))).length;
  counts.values += lengthOf(schema, 'enum');
  counts.branches += ['anyOf', 'oneOf', 'allOf'].reduce(
    (sum, keyword) => sum + lengthOf(schema, keyword),
    0,
  );
  for (const inside of subschemas(schema)) {
    if (counts.parts > limits.parts.most) return;
    count(inside.schema, counts);
  }
}

function lengthOf(schema: JsonSchema, keyword: string): number {
  const list = ownValue(schema, keyword);
  return Array.isArray(list) ? list.length : 0;
}
