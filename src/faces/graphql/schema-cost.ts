/** The cost of a query that the answer schemas in a field's arguments add. */
import { isRecord } from '../../core/json.ts';

/**
 * A schema of 100,000 characters, the longest, takes tens of milliseconds to prepare: a request
 * affords five of them.
 */
export const charactersPerPoint = 2;

/** The names of options, and of an argument, that hold an answer schema. */
const schemaNames = new Set(['schema', 'responseSchema']);
/** The schema of `input.operation.run.responseFormat.schema` is the deepest one. */
const maxLevels = 5;

/** A schema that stands in many places of a query is one object, and is prepared once. */
const known = new WeakMap<object, number>();

/** Points for all answer schemas in `args`: those of a field, or a part of them. */
export function schemaCost(args: unknown, levels = maxLevels): number {
  if (!isRecord(args) || levels === 0) return 0;
  return Object.entries(args).reduce(
    (sum, [name, value]) =>
      sum +
      (schemaNames.has(name) && isRecord(value) ? costOf(value) : schemaCost(value, levels - 1)),
    0,
  );
}

function costOf(schema: object): number {
  const cost = known.get(schema) ?? Math.ceil(JSON.stringify(schema).length / charactersPerPoint);
  known.set(schema, cost);
  return cost;
}
