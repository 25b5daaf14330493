/** Checks that answers can be validated against a user's JSON Schema, before anything is sent. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { isRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import type { SchemaIssue } from './short-form.ts';
import {
  everySchema,
  followReferences,
  inPlaceKeywords,
  resolveReference,
  subschemas,
} from './subschemas.ts';

export const maxPatternLength = 1_000;
const maxIssues = 10;

/** References by other names than paths, and schemas with addresses, which paths cannot cross. */
const unsupportedKeywords = ['$anchor', '$dynamicAnchor', '$dynamicRef', '$id', '$recursiveRef'];

// Only for the meta-schema: it keeps nothing of the schemas that it looks at.
const metaSchema = new Ajv2020({ strict: false, allErrors: true, logger: false });
formats.default(metaSchema);

/** Issues of a schema. Empty when it describes an object and answers can be validated. */
export function checkSchema(root: JsonSchema): SchemaIssue[] {
  const issues = metaSchemaIssues(root);
  if (issues.length > 0) {
    return issues;
  }
  for (const { path, schema } of everySchema(root)) {
    issues.push(...keywordIssues(root, schema, path));
  }
  if (issues.length === 0 && hasEndlessReference(root)) {
    issues.push({
      path: [],
      message: 'must not refer to itself without an object or a list in between',
    });
  }
  if (issues.length === 0 && !describesObject(root, root)) {
    issues.push({
      path: [],
      message: 'must describe an object: { "type": "object", "properties": … }',
    });
  }
  return issues.slice(0, maxIssues);
}

function metaSchemaIssues(root: JsonSchema): SchemaIssue[] {
  if (metaSchema.validateSchema(root) === true) {
    return [];
  }
  const byPath = new Map<string, SchemaIssue>();
  for (const { instancePath, message } of metaSchema.errors ?? []) {
    const path = instancePath
      .split('/')
      .slice(1)
      .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (!byPath.has(instancePath)) {
      byPath.set(instancePath, {
        path,
        message:
          path.at(-1) === 'type'
            ? 'must be one or a list of string, number, integer, boolean, object, array, null'
            : (message ?? 'must be valid in a JSON Schema'),
      });
    }
  }
  return [...byPath.values()].slice(0, maxIssues);
}

function keywordIssues(root: JsonSchema, schema: JsonSchema, path: string[]): SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  const add = (keys: string[], message: string) =>
    issues.push({ path: [...path, ...keys], message });

  for (const keyword of unsupportedKeywords.filter((name) => Object.hasOwn(schema, name))) {
    add([keyword], 'must be absent; refer to other parts by $ref, such as #/$defs/name');
  }
  if (Object.hasOwn(schema, '$ref') && !resolveReference(root, schema.$ref)) {
    add(['$ref'], 'must point into this schema, such as #/$defs/name');
  }
  if (Object.hasOwn(schema, 'pattern')) {
    issues.push(...patternIssues(String(schema.pattern), [...path, 'pattern']));
  }
  for (const pattern of Object.keys(Object(ownValue(schema, 'patternProperties')))) {
    issues.push(...patternIssues(pattern, [...path, 'patternProperties', pattern]));
  }
  // Validators leave this name out for safety, so that nothing would be checked under it.
  if (Object.hasOwn(Object(ownValue(schema, 'properties')), '__proto__')) {
    add(['properties', '__proto__'], 'must not be used as a name');
  }
  return issues;
}

function patternIssues(pattern: string, path: string[]): SchemaIssue[] {
  if (pattern.length > maxPatternLength) {
    const message = `must have at most ${maxPatternLength} characters, not ${pattern.length}`;
    return [{ path, message }];
  }
  try {
    new RegExp(pattern, 'u'); // with the flag that ajv compiles it with
    return [];
  } catch {
    return [{ path, message: 'must be a regular expression (ECMA-262, Unicode mode)' }];
  }
}

/** True when validating one value could come back to the same schema for the same value forever. */
function hasEndlessReference(root: JsonSchema): boolean {
  const state = new Map<JsonSchema, 'open' | 'done'>();
  const visit = (schema: JsonSchema): boolean => {
    if (state.has(schema)) {
      return state.get(schema) === 'open';
    }
    state.set(schema, 'open');
    const target = resolveReference(root, schema.$ref);
    const next = subschemas(schema)
      .filter(({ keyword }) => inPlaceKeywords.has(keyword))
      .map((child) => child.schema);
    const endless = [...(target ? [target] : []), ...next].some(visit);
    state.set(schema, 'done');
    return endless;
  };
  return [...everySchema(root)].some(({ schema }) => visit(schema));
}

/** True when every accepted value is an object: by type, keywords or each alternative. */
function describesObject(
  root: JsonSchema,
  schema: JsonSchema,
  known = new Map<JsonSchema, boolean>(),
): boolean {
  const found = known.get(schema);
  if (found !== undefined) return found;
  known.set(schema, false); // where it comes back to itself
  const describes = describesObjectAnew(root, schema, known);
  known.set(schema, describes);
  return describes;
}

function describesObjectAnew(
  root: JsonSchema,
  schema: JsonSchema,
  known: Map<JsonSchema, boolean>,
): boolean {
  const { type, properties, required, patternProperties, anyOf, oneOf, allOf } = followReferences(
    root,
    schema,
  );
  if (type !== undefined) {
    return [type].flat().includes('object');
  }
  if (properties !== undefined || required !== undefined || patternProperties !== undefined) {
    return true;
  }
  const isObjectSchema = (child: unknown) => isRecord(child) && describesObject(root, child, known);
  const alternatives = anyOf ?? oneOf;
  return Array.isArray(alternatives)
    ? alternatives.every(isObjectSchema)
    : Array.isArray(allOf) && allOf.some(isObjectSchema);
}
