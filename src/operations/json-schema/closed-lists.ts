/** Which fields of an answer have a value out of a known list. */
import { isRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { typesOf } from './strict-nodes.ts';
import { followReferences } from './subschemas.ts';

/**
 * The top-level fields, in order, each of whose values an enum, a const or the types boolean and
 * null allow.
 */
export function closedLists(root: JsonSchema): string[] {
  /** By schema, false while it is looked into: references may go round. */
  const known = new Map<JsonSchema, boolean>();

  function isClosed(given: unknown): boolean {
    if (!isRecord(given)) return false;
    const schema = followReferences(root, given);
    const found = known.get(schema);
    if (found !== undefined) return found;
    known.set(schema, false);
    const closed = allowsList(schema) || hasClosedBranches(schema);
    known.set(schema, closed);
    return closed;
  }

  function hasClosedBranches(schema: JsonSchema): boolean {
    const branches = (keyword: string) => {
      const found = ownValue(schema, keyword);
      return Array.isArray(found) && found.length > 0 ? found : null;
    };
    return (
      branches('anyOf')?.every(isClosed) ||
      branches('oneOf')?.every(isClosed) ||
      branches('allOf')?.some(isClosed) ||
      false
    );
  }

  const properties = ownValue(followReferences(root, root), 'properties');
  if (!isRecord(properties)) return [];
  return Object.entries(properties)
    .filter(([, property]) => isClosed(property))
    .map(([name]) => name);
}

function allowsList(schema: JsonSchema): boolean {
  if (Array.isArray(ownValue(schema, 'enum')) || Object.hasOwn(schema, 'const')) return true;
  const types = typesOf(schema);
  return types.length > 0 && types.every((type) => type === 'boolean' || type === 'null');
}
