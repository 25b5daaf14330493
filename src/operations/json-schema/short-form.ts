/**
 * The short way to write an answer schema: `{ company: "string", revenue: "number", year: "integer", tags: "string[]" }`.
 *
 * A field is a type name, with `[]` for a list of it; another short form, for an object inside; or a short form or type
 * name in a list of one, for a list of those. A value that the text does not state is null, a list then empty; with a
 * `?` behind the type it is left out of the answer instead.
 */
import type { JsonSchema } from '../../model/model.ts';
import { isObject, type JsonObject, ownValue } from '../answer.ts';

const TYPES: Record<string, JsonSchema> = {
  string: { type: 'string' },
  number: { type: 'number' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
};

const KNOWN = `${Object.keys(TYPES).join(', ')}, each also as a list (string[]) or left out when unknown (string?)`;

export interface SchemaIssue {
  path: string[];
  message: string;
}

/**
 * Tells a full JSON Schema from the short form. Full is what has a key that begins with `$`; `type` "object", "array",
 * "null" or a list; `properties` with an object or a boolean for every value; anyOf, oneOf or allOf with a list; or a
 * boolean additionalProperties. Everything else is short: `{ type: "string", name: "string" }` has a field called type.
 */
export function isFullSchema(value: JsonObject): boolean {
  const type = ownValue(value, 'type');
  const properties = ownValue(value, 'properties');
  return (
    Object.keys(value).some((key) => key.startsWith('$')) ||
    Array.isArray(type) ||
    type === 'object' ||
    type === 'array' ||
    type === 'null' ||
    (isObject(properties) &&
      Object.values(properties).every((child) => isObject(child) || typeof child === 'boolean')) ||
    ['anyOf', 'oneOf', 'allOf'].some((keyword) => Array.isArray(ownValue(value, keyword))) ||
    typeof ownValue(value, 'additionalProperties') === 'boolean'
  );
}

/** The JSON Schema that a short form stands for. Issues are added with their path; the result is then of no use. */
export function expandShortForm(
  fields: JsonObject,
  issues: SchemaIssue[],
  path: string[] = [],
): JsonSchema {
  const properties: [string, JsonSchema][] = [];
  const required: string[] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (key === '__proto__') {
      issues.push({ path: [...path, key], message: 'is not usable as a name' });
    }
    const optional = typeof value === 'string' && value.trim().endsWith('?');
    properties.push([key, expandField(value, issues, [...path, key], optional)]);
    if (!optional) {
      required.push(key);
    }
  }
  if (properties.length === 0) {
    issues.push({ path, message: 'needs at least one field' });
  }
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required,
    additionalProperties: false,
  };
}

function expandField(
  value: unknown,
  issues: SchemaIssue[],
  path: string[],
  optional: boolean,
): JsonSchema {
  if (isObject(value)) {
    return expandShortForm(value, issues, path);
  }
  if (Array.isArray(value) && value.length === 1) {
    return { type: 'array', items: expandField(value[0], issues, [...path, '0'], true) };
  }
  const [, name = '', list] =
    typeof value === 'string' ? (/^(\w+)(\[\])?\??$/.exec(value.trim()) ?? []) : [];
  const type = ownValue(TYPES, name) as JsonSchema | undefined;
  if (!type) {
    const got = typeof value === 'string' ? `unknown type ${JSON.stringify(value)}` : 'not a type';
    issues.push({ path, message: `${got}; use ${KNOWN}, a nested object, or a list of one` });
    return {};
  }
  if (list) {
    return { type: 'array', items: type };
  }
  return optional ? type : { ...type, type: [type.type, 'null'] };
}
