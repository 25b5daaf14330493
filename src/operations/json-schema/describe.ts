/** A schema's fields as a list for the prompt: a model that is only held to a schema may never have read it. */
import type { JsonSchema } from '../../model/model.ts';
import { isObject } from '../answer.ts';
import { followReferences } from './subschemas.ts';

const MAX_DEPTH = 4;
const MAX_LINES = 200;

/** One line per field, those of nested objects indented under it; at most 200 lines and four levels. */
export function describeFields(root: JsonSchema): string {
  const lines: string[] = [];
  addFieldLines(root, root, lines, 0);
  return lines.join('\n');
}

function addFieldLines(root: JsonSchema, schema: JsonSchema, lines: string[], depth: number): void {
  const { properties } = followReferences(root, schema);
  if (!isObject(properties) || depth === MAX_DEPTH) {
    return;
  }
  for (const [name, property] of Object.entries(properties)) {
    if (lines.length === MAX_LINES) {
      return;
    }
    const own = isObject(property) ? property : {};
    const target = followReferences(root, own);
    const description = own.description ?? target.description;
    const head = `${'  '.repeat(depth)}- ${JSON.stringify(name)} (${typeName(target)})`;
    lines.push(typeof description === 'string' && description ? `${head}: ${description}` : head);
    addFieldLines(root, isObject(target.items) ? target.items : target, lines, depth + 1);
  }
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
