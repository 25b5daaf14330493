/**
 * The way back from an answer to a strict schema: the nulls that stand for absent optional properties are taken out,
 * so that the original schema can judge it. A null that the original accepts stays.
 */
import type { JsonSchema } from '../../model/model.ts';
import { isObject, ownValue } from '../answer.ts';
import { referencePath, resolveReference } from './subschemas.ts';

/** Whether the part of the original schema at a path accepts a value. */
type Accepts = (path: readonly string[], value: unknown) => boolean;

/** A copy of the answer without the nulls; where alternatives apply, as the first one that accepts it then. */
export function restoreAbsent(root: JsonSchema, answer: unknown, accepts: Accepts): unknown {
  // Alternatives try one value several times, and again inside each other: remembered, that stays polynomial.
  const memory = new Map<string, WeakMap<object, unknown>>();

  function restore(value: unknown, schema: JsonSchema, path: readonly string[]): unknown {
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    const key = path.join('\0');
    const known = memory.get(key) ?? new WeakMap<object, unknown>();
    memory.set(key, known);
    if (!known.has(value)) {
      known.set(value, restoreFresh(value, schema, path));
    }
    return known.get(value);
  }

  function restoreFresh(value: object, schema: JsonSchema, path: readonly string[]): unknown {
    const target = resolveReference(root, ownValue(schema, '$ref'));
    if (target) {
      return restore(value, target, referencePath(schema.$ref) ?? []);
    }
    const only = [ownValue(schema, 'allOf') ?? []].flat();
    if (only.length === 1 && isObject(only[0])) {
      return restore(value, only[0], [...path, 'allOf', '0']);
    }
    for (const keyword of ['anyOf', 'oneOf']) {
      for (const [index, branch] of [ownValue(schema, keyword) ?? []].flat().entries()) {
        const branchPath = [...path, keyword, String(index)];
        const candidate = isObject(branch) ? restore(value, branch, branchPath) : value;
        if (accepts(branchPath, candidate)) {
          return candidate;
        }
      }
    }
    return Array.isArray(value)
      ? restoreItems(value, schema, path)
      : restoreProperties(value, schema, path);
  }

  function restoreItems(value: unknown[], schema: JsonSchema, path: readonly string[]): unknown[] {
    const items = ownValue(schema, 'items');
    return isObject(items)
      ? value.map((child) => restore(child, items, [...path, 'items']))
      : value;
  }

  function restoreProperties(value: object, schema: JsonSchema, path: readonly string[]): object {
    const properties = Object(ownValue(schema, 'properties'));
    const required = new Set([ownValue(schema, 'required') ?? []].flat());
    const entries = Object.entries(value).flatMap(([name, child]: [string, unknown]) => {
      const property = ownValue(properties, name);
      if (!isObject(property)) {
        return [[name, child]];
      }
      const propertyPath = [...path, 'properties', name];
      return child === null && !required.has(name) && !accepts(propertyPath, null)
        ? []
        : [[name, restore(child, property, propertyPath)]];
    });
    return Object.fromEntries(entries);
  }

  return restore(answer, root, []);
}
