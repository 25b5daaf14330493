/** A schema's fields as a list for the prompt: a model that is only held to a schema may never have read it. */
import type { JsonSchema } from '../../model/model.ts';
import { isObject, ownValue } from '../answer.ts';
import { followReferences } from './subschemas.ts';

const MAX_DEPTH = 4;
const MAX_LINES = 200;

/** One line per field, those of nested objects indented under it; at most 200 lines and four levels. */
export function describeFields(root: JsonSchema): string {
  return fieldLines(root, root, 0).slice(0, MAX_LINES).join('\n');
}

function fieldLines(root: JsonSchema, schema: JsonSchema, depth: number): string[] {
  const { properties } = followReferences(root, schema);
  if (!isObject(properties) || depth === MAX_DEPTH) {
    return [];
  }
  return Object.entries(properties).flatMap(([name, property]) => {
    const target = isObject(property) ? followReferences(root, property) : {};
    const description = isObject(property) ? (property.description ?? target.description) : '';
    const items = ownValue(target, 'items');
    const indent = '  '.repeat(depth);
    const head = `${indent}- ${JSON.stringify(name)} (${typeName(target)})`;
    return [
      typeof description === 'string' && description !== '' ? `${head}: ${description}` : head,
      ...fieldLines(root, isObject(items) ? items : target, depth + 1),
    ];
  });
}

function typeName(schema: JsonSchema): string {
  const { type, format, items } = schema;
  const values = schema.enum ?? (Object.hasOwn(schema, 'const') ? [schema.const] : undefined);
  if (Array.isArray(values)) {
    return `one of ${values.map((value) => JSON.stringify(value)).join(', ')}`;
  }
  const names = [type ?? 'value'].flat().map((name) => {
    if (name === 'array') {
      return isObject(items) && typeof items.type === 'string' ? `list of ${items.type}` : 'list';
    }
    return name === 'string' && typeof format === 'string' ? format : String(name);
  });
  return names.join(' or ');
}
