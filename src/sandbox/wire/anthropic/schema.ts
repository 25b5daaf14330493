/**
 * Anthropic's demands on a schema for structured output, and its words for a fault. Source:
 * https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 * and reported 400s of the API.
 */
import { isObject } from '../../rules/json-schema.ts';

const unsupported = new Map<string, readonly string[]>([
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
  ['integer', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
  ['string', ['minLength', 'maxLength']],
  ['array', ['maxItems', 'uniqueItems', 'contains', 'minContains', 'maxContains', 'prefixItems']],
  ['object', ['minProperties', 'maxProperties', 'patternProperties', 'propertyNames']],
]);
const maxDepth = 100;

/** Why it is none, as Anthropic words it after the path of the schema; null if it is one. */
export function outputSchemaFault(schema: unknown, depth = 0): string | null {
  if (!isObject(schema)) return 'Input should be an object';
  if (depth > maxDepth) return 'Schema is nested too deeply';
  const types = [schema.type].flat();
  for (const type of types) {
    const names = (unsupported.get(String(type)) ?? []).filter((name) => name in schema).sort();
    if (names.length > 1)
      return `For '${type}' type, properties ${names.join(', ')} are not supported`;
    if (names.length === 1) return `For '${type}' type, property '${names[0]}' is not supported`;
  }
  if (types.includes('object') && schema.additionalProperties !== false)
    return "For 'object' type, 'additionalProperties' must be explicitly set to false";
  if (types.includes('array') && Number(schema.minItems ?? 0) > 1)
    return "For 'array' type, 'minItems' values other than 0 or 1 are not supported";
  if (schema.oneOf !== undefined) return "Schema type 'oneOf' is not supported";
  if (typeof schema.$ref === 'string' && !schema.$ref.startsWith('#'))
    return 'External $ref is not supported';
  for (const inner of innerSchemas(schema)) {
    const fault = outputSchemaFault(inner, depth + 1);
    if (fault) return fault;
  }
  return null;
}

function innerSchemas({
  properties,
  items,
  anyOf,
  allOf,
  $defs,
  definitions,
}: Record<string, unknown>): unknown[] {
  return [
    ...[properties, $defs, definitions].flatMap((named) =>
      isObject(named) ? Object.values(named) : [],
    ),
    ...[anyOf, allOf].flatMap((list) => (Array.isArray(list) ? list : [])),
    ...(items === undefined ? [] : [items]),
  ];
}
