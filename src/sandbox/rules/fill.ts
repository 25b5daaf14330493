/**
 * The schema walker: compiles a JSON Schema to a function that fills it from a text. Every answer satisfies its schema
 * where a value can (limits, patterns and formats that rules cannot meet are left to the caller's validation).
 */

import { compileArray } from './array-node.ts';
import { compileBoolean, compileEnum, constant } from './choices.ts';
import type { Item } from './item.ts';
import { isObject, type JsonSchema, resolve, typesOf } from './json-schema.ts';
import { type Filled, nothing, type Place, type PromptContext, type SchemaNode } from './node.ts';
import { compileNumber } from './number-node.ts';
import { compileObject } from './object-node.ts';
import { compileString } from './string-node.ts';

export function compileSchema(root: JsonSchema, context: PromptContext): (item: Item) => Filled {
  const references = new Map<string, SchemaNode>();
  const place: Place = {
    name: typeof root.title === 'string' ? root.title : '',
    description: typeof root.description === 'string' ? root.description : '',
    root,
    context,
    compile: (schema, at) => compileNode(schema, at, references),
  };
  const node = compileNode(root, place, references);
  return (item) => node.fill(item);
}

function compileNode(raw: unknown, outer: Place, references: Map<string, SchemaNode>): SchemaNode {
  if (!isObject(raw)) return compileString({}, outer);
  const schema: JsonSchema = withTold(raw);
  const place =
    typeof schema.description === 'string' ? { ...outer, description: schema.description } : outer;
  if ('const' in schema) return constant(schema.const);
  if (Array.isArray(schema.enum)) return compileEnum(schema, place);
  if (typeof schema.$ref === 'string') return reference(schema.$ref, place, references);
  if (Array.isArray(schema.allOf)) return compileNode(merged(schema), place, references);
  const branches = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(branches))
    return union(
      branches.map((branch) => inherit(schema, branch)),
      place,
    );
  const types = typesOf(schema);
  if (types.length > 1)
    return union(
      types.map((type) => ({ ...schema, type })),
      place,
    );
  switch (types[0]) {
    case 'object':
      return compileObject(schema, place);
    case 'array':
      return compileArray(schema, place);
    case 'number':
    case 'integer':
      return compileNumber(schema, place, types[0] === 'integer');
    case 'boolean':
      return compileBoolean(place);
    case 'null':
      return { fill: () => nothing(null), all: () => [] };
    default:
      return compileString(schema, place);
  }
}

/** A schema may hold itself: it is then compiled when first met, and not entered again within itself. */
function reference(pointer: string, place: Place, references: Map<string, SchemaNode>): SchemaNode {
  const key = `${pointer}\u0000${place.name}`;
  const known = references.get(key);
  if (known) return known;
  let target: SchemaNode | undefined;
  let inside = false;
  const enter = <T>(use: (node: SchemaNode) => T, otherwise: T): T => {
    if (inside) return otherwise;
    inside = true;
    try {
      target ??= place.compile(resolve(place.root, pointer) ?? {}, place);
      return use(target);
    } finally {
      inside = false;
    }
  };
  const node: SchemaNode = {
    fill: (item, near) => enter((inner) => inner.fill(item, near), nothing(null)),
    all: (item) => enter((inner) => inner.all(item), []),
  };
  references.set(key, node);
  return node;
}

/** The branch with the best find; null where nothing is found and null is allowed, else the first branch's emptiest value. */
function union(branches: readonly JsonSchema[], place: Place): SchemaNode {
  const nullable = branches.some(
    (branch) => typesOf(branch)[0] === 'null' || branch.const === null,
  );
  const nodes = branches
    .filter((branch) => typesOf(branch)[0] !== 'null')
    .map((branch) => place.compile(nullable ? orNull(branch) : branch, place));
  return {
    fill(item, near) {
      let best: Filled | null = null;
      let first: Filled | null = null;
      for (const node of nodes) {
        const filled = node.fill(item, near);
        first ??= filled;
        if (filled.found && filled.score > (best?.score ?? 0)) best = filled;
      }
      return best ?? (nullable || !first ? nothing(null) : first);
    },
    all(item) {
      return nodes
        .map((node) => node.all(item))
        .reduce<Filled[]>((most, one) => (one.length > most.length ? one : most), []);
    },
  };
}

/** A choice beside which null is allowed need not be made. */
function orNull(branch: JsonSchema): JsonSchema {
  return Array.isArray(branch.enum) ? { ...branch, enum: [...branch.enum, null] } : branch;
}

/** Limits that strict mode does not take are told in words: `Constraints: {"maxLength": 20}` in the description. */
function withTold(schema: JsonSchema): JsonSchema {
  const { description } = schema;
  const match =
    typeof description === 'string'
      ? /(?:^|\n)Constraints: (\{.{1,500}\})$/.exec(description)
      : null;
  if (!match) return schema;
  try {
    return {
      ...(JSON.parse(match[1] ?? '') as JsonSchema),
      ...schema,
      description: description?.slice(0, match.index) ?? '',
    };
  } catch {
    return schema;
  }
}

function merged(schema: JsonSchema): JsonSchema {
  const { allOf = [], ...rest } = schema;
  const all: Record<string, unknown> = { ...rest };
  for (const part of allOf) {
    if (!isObject(part)) continue;
    const { properties, required, ...others } = part as JsonSchema;
    Object.assign(all, others);
    if (properties) all.properties = Object.assign({}, all.properties, properties);
    if (required) all.required = [...((all.required as string[] | undefined) ?? []), ...required];
  }
  return all;
}

/** What stands beside anyOf holds for every branch. */
function inherit(schema: JsonSchema, branch: JsonSchema): JsonSchema {
  const { anyOf: _any, oneOf: _one, ...rest } = schema;
  return isObject(branch) ? { ...rest, ...branch } : rest;
}
