/**
 * The short form of an answer schema: `{ company: "string", year: "integer", tags: "string[]" }`.
 *
 * A field is a type name, with `[]` for a list; a text with a blank in it, which describes a text
 * field; a list of two or more texts, of which one is the value; a JSON Schema with a type, an enum
 * or branches; another short form, for an object inside; or one of these in a list of one, for a
 * list. A value that the text does not state is null, and a list is empty then. With a `?` after
 * the type, the value is left out instead.
 */

import { isRecord, type JsonRecord } from '../../core/json.ts';
import { nearest } from '../../core/nearest.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { withNull } from './nullable.ts';
import { isKeyword } from './subschemas.ts';

const schemasByType: Record<string, JsonSchema> = {
  string: { type: 'string' },
  text: { type: 'string' },
  number: { type: 'number' },
  float: { type: 'number' },
  integer: { type: 'integer' },
  int: { type: 'integer' },
  boolean: { type: 'boolean' },
  bool: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
};

/** Types meant by words that name types in other languages. */
const typesOfOtherLanguages: Record<string, string> = {
  str: 'string',
  varchar: 'string',
  num: 'number',
  numeric: 'number',
  double: 'number',
  decimal: 'number',
  long: 'integer',
  datetime: '{ "type": "string", "format": "date-time" }',
  timestamp: '{ "type": "string", "format": "date-time" }',
  time: '{ "type": "string", "format": "time" }',
  list: 'string[]',
  array: 'string[]',
  object: '{ "type": "object" } or the fields inside',
  dict: '{ "type": "object" } or the fields inside',
};

const jsonTypes = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];

const knownTypes =
  'string, number, integer, boolean or date, each also as a list (string[]) or left out when unknown (string?)';

export interface SchemaIssue {
  path: string[];
  message: string;
}

/**
 * Tells a full JSON Schema from the short form. A full schema has one of these: a key that begins
 * with `$`; `type` "object", "array", "null" or a list; `properties` with an object or a boolean
 * for every value; anyOf, oneOf or allOf with a list; a boolean additionalProperties. Everything
 * else is short: `{ type: "string", name: "string" }` has a field called type.
 */
export function isFullSchema(value: JsonRecord): boolean {
  const type = ownValue(value, 'type');
  const properties = ownValue(value, 'properties');
  return (
    Object.keys(value).some((key) => key.startsWith('$')) ||
    Array.isArray(type) ||
    type === 'object' ||
    type === 'array' ||
    type === 'null' ||
    (isRecord(properties) &&
      Object.values(properties).every((child) => isRecord(child) || typeof child === 'boolean')) ||
    ['anyOf', 'oneOf', 'allOf'].some((keyword) => Array.isArray(ownValue(value, keyword))) ||
    typeof ownValue(value, 'additionalProperties') === 'boolean'
  );
}

/**
 * The JSON Schema that a short form stands for, its objects open. Issues are added with their path;
 * the result is then of no use.
 */
export function expandShortForm(
  fields: JsonRecord,
  issues: SchemaIssue[],
  path: string[] = [],
): JsonSchema {
  const properties: [string, JsonSchema][] = [];
  const required: string[] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (key === '__proto__') {
      issues.push({ path: [...path, key], message: 'must not be used as a name' });
    }
    const mayLack = typeof value === 'string' && readType(value)?.optional === true;
    properties.push([
      key,
      expandField(value, { issues, path: [...path, key], takesNull: !mayLack }),
    ]);
    if (!mayLack) {
      required.push(key);
    }
  }
  if (properties.length === 0) {
    issues.push({ path, message: 'must have at least one field' });
  }
  return { type: 'object', properties: Object.fromEntries(properties), required };
}

/** Where a place in what a short form stands for is in the short form itself. */
export function shortPath(fields: unknown, path: readonly string[]): string[] {
  const [keyword, name, ...rest] = path;
  if (keyword !== 'properties' || name === undefined) return [];
  let field = ownValue(Object(fields), name);
  let inside = rest;
  const found = [name];
  while (Array.isArray(field) && inside[0] === 'items') {
    found.push('0');
    field = field[0];
    inside = inside.slice(1);
  }
  return isRecord(field) && !isProperty(field)
    ? [...found, ...shortPath(field, inside)]
    : [...found, ...inside];
}

interface Place {
  issues: SchemaIssue[];
  path: string[];
  /** True when null stands for a value that the text does not state. */
  takesNull: boolean;
}

function expandField(value: unknown, place: Place): JsonSchema {
  if (isRecord(value)) {
    return isProperty(value) ? expandProperty(value, place) : expandInside(value, place);
  }
  if (Array.isArray(value)) {
    return expandList(value, place);
  }
  const type = typeof value === 'string' ? readType(value) : null;
  if (type) {
    if (type.list) return { type: 'array', items: type.schema };
    return place.takesNull ? withNull(type.schema) : type.schema;
  }
  if (typeof value === 'string' && isDescription(value)) {
    const text = { type: 'string', description: value.trim() };
    return place.takesNull ? withNull(text) : text;
  }
  place.issues.push({ path: place.path, message: unknownType(value) });
  return {};
}

/** A type by its name, perhaps of a list, perhaps left out when unknown. */
function readType(value: string): { schema: JsonSchema; list: boolean; optional: boolean } | null {
  const [, name = '', list, optional] = /^(\w+)(\[\])?(\?)?$/.exec(value.trim()) ?? [];
  const schema = ownValue(schemasByType, name) as JsonSchema | undefined;
  return schema ? { schema, list: list !== undefined, optional: optional !== undefined } : null;
}

/** A text with a blank, but not one like a type: "string | null", "integer (year)". */
function isDescription(value: string): boolean {
  const [, name = ''] =
    /^(\w+)(?:\[\])?\??\s*(?:[|&,:;(<>=/]|or\s+null\b)/.exec(value.trim()) ?? [];
  return /\S\s+\S/.test(value) && !Object.hasOwn(schemasByType, name);
}

function unknownType(value: unknown): string {
  if (typeof value !== 'string') {
    return `not a type; use ${knownTypes}, a list of values, a nested object, or a list of one`;
  }
  const word = value.trim();
  const [, name = word] = /^(\w+)/.exec(word) ?? [];
  if (/\s/.test(word)) {
    return `${JSON.stringify(word)} is neither a type nor a description; write { "type": ${JSON.stringify(name)}, "description": … }`;
  }
  const meant =
    ownValue(typesOfOtherLanguages, name.toLowerCase()) ??
    nearest(name, Object.keys(schemasByType));
  const hint = meant ? `; did you mean ${meant}? Use` : '; use';
  return `unknown type ${JSON.stringify(word)}${hint} ${knownTypes}, a description in several words, a list of values, a nested object, or a list of one`;
}

/** A list of one is a list of that; of two or more texts one is the value. */
function expandList(list: readonly unknown[], place: Place): JsonSchema {
  if (list.length === 1) {
    const inside = { ...place, path: [...place.path, '0'], takesNull: false };
    return { type: 'array', items: expandField(list[0], inside) };
  }
  if (list.length === 0 || !list.every((one) => typeof one === 'string')) {
    const message =
      'must be a list of one type, or of two or more texts, of which one is the value; other values are { "enum": […] }';
    place.issues.push({ path: place.path, message });
    return {};
  }
  if (list.every((one) => readType(one) !== null || jsonTypes.includes(one))) {
    const message =
      'could be types or values; write { "type": […] } for types, { "enum": […] } for values';
    place.issues.push({ path: place.path, message });
    return {};
  }
  return expandProperty({ enum: list }, place);
}

/** True when an object is a JSON Schema of a property: nothing beside type, values or branches. */
function isProperty(value: JsonRecord): boolean {
  return (hasType(value) || hasBranches(value)) && Object.keys(value).every(isKeyword);
}

/** True when an object is a choice among schemas, or refers to a schema. */
function hasBranches(value: JsonRecord): boolean {
  return (
    typeof ownValue(value, '$ref') === 'string' ||
    ['anyOf', 'oneOf', 'allOf'].some((keyword) => {
      const branches = ownValue(value, keyword);
      return Array.isArray(branches) && branches.length > 0 && branches.every(isRecord);
    })
  );
}

function hasType(value: JsonRecord): boolean {
  const types = [ownValue(value, 'type') ?? []].flat();
  const isTyped = types.length > 0 && types.every((type) => jsonTypes.includes(String(type)));
  return isTyped || Array.isArray(ownValue(value, 'enum'));
}

function expandProperty(property: JsonRecord, { issues, path, takesNull }: Place): JsonSchema {
  for (const keyword of ['title', 'description']) {
    const said = ownValue(property, keyword);
    if (typeof said !== 'string' || readType(said) === null) continue;
    const message = `could be the ${keyword} of this field, or a field of an object with that type; write { "type": "object", "properties": … } for an object`;
    issues.push({ path: [...path, keyword], message });
  }
  const values = ownValue(property, 'enum');
  const isText = Array.isArray(values) && values.every((value) => typeof value === 'string');
  const schema =
    isText && ownValue(property, 'type') === undefined ? { type: 'string', ...property } : property;
  const isWhole = [ownValue(schema, 'type') ?? []]
    .flat()
    .some((type) => type === 'object' || type === 'array');
  if (!takesNull || isWhole || Object.hasOwn(schema, 'nullable')) return schema;
  return withNull(
    Array.isArray(values) ? { ...schema, enum: [...new Set([...values, null])] } : schema,
  );
}

/** An object inside. One that looks like a JSON Schema, but is not one, is refused. */
function expandInside(value: JsonRecord, { issues, path }: Place): JsonSchema {
  const others = Object.entries(value).filter(([key]) => !isKeyword(key));
  const isShort = (field: unknown) => typeof field === 'string' && readType(field) !== null;
  if (hasType(value) && !Object.values(value).every(isShort)) {
    for (const [key] of others) {
      const meant = nearest(key, ['description', 'enum', 'format', 'minimum', 'maximum', 'items']);
      const hint = meant ? `; did you mean ${meant}?` : '';
      issues.push({ path: [...path, key], message: `must be a keyword of a JSON Schema${hint}` });
    }
    return {};
  }
  return expandShortForm(value, issues, path);
}
