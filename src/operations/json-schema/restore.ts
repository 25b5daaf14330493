/**
 * Turns an answer to a strict schema into an answer to the original schema. Nulls that stand for
 * absent optional properties are removed. A null that the original accepts stays.
 */
import { isRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { resolveReference } from './subschemas.ts';

/** True when a part of the original schema accepts a value. */
type Accepts = (part: unknown, value: unknown) => boolean;

/** Makes a copier of answers without the nulls, by the first alternative that accepts the copy. */
export function createRestore(
  root: JsonSchema,
  accepts: Accepts,
): (value: unknown, part: JsonSchema) => unknown {
  // Alternatives try one value several times, nested too. Remembered results keep this polynomial.
  const memory = new Map<JsonSchema, WeakMap<object, unknown>>();

  function restore(value: unknown, schema: JsonSchema): unknown {
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    const known = memory.get(schema) ?? new WeakMap<object, unknown>();
    memory.set(schema, known);
    if (!known.has(value)) {
      known.set(value, restoreFresh(value, schema));
    }
    return known.get(value);
  }

  function restoreFresh(value: object, schema: JsonSchema): unknown {
    const target = resolveReference(root, ownValue(schema, '$ref'));
    if (target) {
      return restore(value, target);
    }
    const only = [ownValue(schema, 'allOf') ?? []].flat();
    if (only.length === 1 && isRecord(only[0])) {
      return restore(value, only[0]);
    }
    for (const keyword of ['anyOf', 'oneOf']) {
      for (const branch of [ownValue(schema, keyword) ?? []].flat()) {
        const candidate = isRecord(branch) ? restore(value, branch) : value;
        if (accepts(branch, candidate)) {
          return candidate;
        }
      }
    }
    return Array.isArray(value) ? restoreItems(value, schema) : restoreProperties(value, schema);
  }

  function restoreItems(value: unknown[], schema: JsonSchema): unknown[] {
    const items = ownValue(schema, 'items');
    return isRecord(items) ? value.map((child) => restore(child, items)) : value;
  }

  function restoreProperties(value: object, schema: JsonSchema): object {
    const properties = Object(ownValue(schema, 'properties'));
    const required = new Set([ownValue(schema, 'required') ?? []].flat());
    const entries = Object.entries(value).flatMap(([name, child]: [string, unknown]) => {
      const property = ownValue(properties, name);
      if (!isRecord(property)) {
        return [[name, child]];
      }
      return child === null && !required.has(name) && !accepts(property, null)
        ? []
        : [[name, restore(child, property)]];
    });
    return Object.fromEntries(entries);
  }

  return restore;
}
