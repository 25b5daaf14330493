/** `nullable: true`, as OpenAPI writes what JSON Schema has types and alternatives for. */
import { isRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { isAnnotation, typesOf } from './strict-nodes.ts';

const combiningKeywords = ['$ref', 'allOf', 'anyOf', 'oneOf'];

/** The schema, or null. Beside an enum null is allowed only where it stands in it. */
export function withNull(schema: JsonSchema): JsonSchema {
  const values = ownValue(schema, 'enum');
  if (Object.hasOwn(schema, 'const') || (Array.isArray(values) && !values.includes(null))) {
    return schema;
  }
  const types = typesOf(schema);
  if (types.length > 0) {
    return types.includes('null') ? schema : { ...schema, type: [...types, 'null'] };
  }
  return combiningKeywords.some((keyword) => Object.hasOwn(schema, keyword))
    ? orNull(schema)
    : schema;
}

/** As an alternative, with the description of the whole beside it. */
function orNull(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(schema);
  const rest = Object.fromEntries(entries.filter(([key]) => !isAnnotation(key)));
  const annotations = Object.fromEntries(entries.filter(([key]) => isAnnotation(key)));
  const { anyOf, ...others } = rest;
  const branches =
    Array.isArray(anyOf) && Object.keys(others).length === 0 ? anyOf.filter(isRecord) : [rest];
  return { ...annotations, anyOf: [...branches, { type: 'null' }] };
}
