/**
 * OpenAI's demands on a schema with `strict: true`, and its words for a fault. Source:
 * https://platform.openai.com/docs/guides/structured-outputs#supported-schemas. Where the document
 * is silent, the sandbox refuses what OpenAI's API was seen to refuse ("is not permitted").
 */
import { isObject } from '../rules/json-schema.ts';

const notPermitted = [
  'allOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'dependentRequired',
  'dependentSchemas',
  'patternProperties',
  'propertyNames',
  'unevaluatedProperties',
  'unevaluatedItems',
  'contains',
  'minContains',
  'maxContains',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'default',
  'prefixItems',
];

const maxProperties = 5_000;
const maxDepth = 10;
const maxEnumValues = 1_000;
/** An enum of more than 250 strings may hold 15,000 characters in all. */
const largeEnum = 250;
const largeEnumCharacters = 15_000;
const maxCharacters = 120_000;

interface Totals {
  properties: number;
  enumValues: number;
  characters: number;
}

/**
 * The fault of a schema that is not strict, as OpenAI words it behind "Invalid schema for
 * response_format 'x': ". Null for a strict schema.
 */
export function strictSchemaFault(schema: unknown): string | null {
  if (!isObject(schema))
    return 'schema must be a JSON Schema of \'type: "object"\', got \'type: "None"\'.';
  if (schema.type !== 'object') {
    return `schema must be a JSON Schema of 'type: "object"', got 'type: "${JSON.stringify(schema.type ?? null).replaceAll('"', '')}"'.`;
  }
  if (schema.anyOf !== undefined) return "In context=(), 'anyOf' is not permitted at the root.";
  const totals: Totals = { properties: 0, enumValues: 0, characters: 0 };
  return check(schema, [], 0, totals) ?? tooLarge(totals);
}

function check(
  node: unknown,
  path: readonly string[],
  depth: number,
  totals: Totals,
): string | null {
  const context = `In context=(${path.map((part) => `'${part}'`).join(', ')}${path.length === 1 ? ',' : ''})`;
  if (!isObject(node)) return `${context}, expected a schema object.`;
  if (depth > maxDepth)
    return `${context}, schema exceeds the limit of ${maxDepth} levels of nesting.`;
  for (const keyword of notPermitted) {
    if (keyword in node) return `${context}, '${keyword}' is not permitted.`;
  }
  const { type, properties, items, anyOf, $defs, definitions } = node;
  if (
    type === undefined &&
    anyOf === undefined &&
    !('$ref' in node) &&
    !('enum' in node) &&
    !('const' in node)
  ) {
    return `${context}, schema must have a 'type' key.`;
  }
  const types = [type].flat();
  return (
    enumFault(node.enum, context, totals) ??
    (types.includes('object') ? objectFault(node, context, totals) : null) ??
    (types.includes('array') && !isObject(items)
      ? `${context}, array schema missing items.`
      : null) ??
    each(properties, [...path, 'properties'], depth + 1, totals) ??
    (items === undefined ? null : check(items, [...path, 'items'], depth + 1, totals)) ??
    eachOf(anyOf, [...path, 'anyOf'], depth, totals) ??
    each($defs, [...path, '$defs'], depth, totals) ??
    each(definitions, [...path, 'definitions'], depth, totals)
  );
}

function each(
  schemas: unknown,
  path: readonly string[],
  depth: number,
  totals: Totals,
): string | null {
  if (!isObject(schemas)) return null;
  for (const [name, schema] of Object.entries(schemas)) {
    const fault = check(schema, [...path, name], depth, totals);
    if (fault) return fault;
  }
  return null;
}

function eachOf(
  schemas: unknown,
  path: readonly string[],
  depth: number,
  totals: Totals,
): string | null {
  if (!Array.isArray(schemas)) return null;
  return each(Object.fromEntries(schemas.entries()), path, depth, totals);
}

function objectFault(
  node: Record<string, unknown>,
  context: string,
  totals: Totals,
): string | null {
  if (node.additionalProperties !== false) {
    return `${context}, 'additionalProperties' is required to be supplied and to be false.`;
  }
  const names = isObject(node.properties) ? Object.keys(node.properties) : [];
  totals.properties += names.length;
  for (const name of names) totals.characters += name.length;
  const required = node.required;
  const missing = names.find((name) => !Array.isArray(required) || !required.includes(name));
  if (missing !== undefined) {
    return `${context}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
  }
  const extra = Array.isArray(required)
    ? required.find((name) => !names.includes(String(name)))
    : undefined;
  return extra === undefined
    ? null
    : `${context}, 'required' names '${extra}', which is not in properties.`;
}

function enumFault(values: unknown, context: string, totals: Totals): string | null {
  if (values === undefined) return null;
  if (!Array.isArray(values) || values.length === 0)
    return `${context}, 'enum' must be a non-empty array.`;
  if (new Set(values).size < values.length) return `${context}, 'enum' has duplicate values.`;
  const characters = values.reduce(
    (sum: number, value) => sum + (typeof value === 'string' ? value.length : 0),
    0,
  );
  totals.enumValues += values.length;
  totals.characters += characters;
  if (values.length > largeEnum && characters > largeEnumCharacters) {
    return `${context}, enum of ${values.length} values has ${characters} characters, the limit is ${largeEnumCharacters}.`;
  }
  return null;
}

function tooLarge({ properties, enumValues, characters }: Totals): string | null {
  if (properties > maxProperties)
    return `schema has ${properties} properties, the limit is ${maxProperties}.`;
  if (enumValues > maxEnumValues)
    return `schema has ${enumValues} enum values, the limit is ${maxEnumValues}.`;
  if (characters > maxCharacters)
    return `schema has ${characters} characters of names and enum values, the limit is ${maxCharacters}.`;
  return null;
}
