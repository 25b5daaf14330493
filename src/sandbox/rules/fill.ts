/**
 * The schema walker: compiles a JSON Schema to a function that fills it from a text. Every answer satisfies its schema
 * where a value can (limits, patterns and formats that rules cannot meet are left to the caller's validation).
 */

import { compileArray } from './array-node.ts';
import { compileBoolean, compileEnum, constant } from './choices.ts';
import type { Item } from './item.ts';
import { isObject, type JsonSchema, resolve, typesOf } from './json-schema.ts';
import { fitNumber } from './limits.ts';
import { type Filled, nothing, type Place, type PromptContext, type SchemaNode } from './node.ts';
import { compileNumber } from './number-node.ts';
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
    .map((branch) => place.compile(branch, place));
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

interface Property {
  name: string;
  node: SchemaNode;
  required: boolean;
  /** True for `confidence` and its kin, which are told by the others. */
  confidence: boolean;
  schema: JsonSchema;
}

const confidenceName =
  /(?:^|[_ -])(?:confidence|certainty|probability|likelihood)(?:[_ -](?:score|level|value))?$|Confidence(?:Score)?$/;

function compileObject(schema: JsonSchema, place: Place): SchemaNode {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const entries = Object.entries(isObject(schema.properties) ? schema.properties : {});
  const properties: Property[] = entries.map(([name, raw]) => {
    const own: JsonSchema = isObject(raw) ? raw : {};
    const numeric = numericSchema(own);
    return {
      name,
      node: place.compile(raw, {
        ...place,
        name,
        description: place.context.descriptions.get(name) ?? '',
      }),
      required: required.has(name),
      confidence: numeric !== null && confidenceName.test(name),
      schema: numeric ?? own,
    };
  });

  const fill = (
    item: Item,
    near?: number,
    given?: { property: Property; filled: Filled },
  ): Filled => {
    const filled = properties.map((property) =>
      property.confidence
        ? null
        : property === given?.property
          ? given.filled
          : property.node.fill(item, near),
    );
    const finds = filled.filter((one) => one?.found);
    const score =
      finds.length === 0
        ? 0
        : finds.reduce((sum, one) => sum + (one?.score ?? 0), 0) / finds.length;
    const value: [string, unknown][] = [];
    const decisions = [];
    for (const [i, property] of properties.entries()) {
      const one = filled[i];
      if (property.confidence)
        value.push([property.name, confidence(property, properties, filled, score)]);
      else if (one && (one.found || property.required)) {
        value.push([property.name, one.value]);
        decisions.push(...one.decisions);
      }
    }
    // fromEntries makes own properties even of names such as __proto__.
    return {
      value: Object.fromEntries(value),
      score,
      found: finds.length > 0 || properties.length === 0,
      decisions,
    };
  };

  /** One object for every find of the property with the most of them, words before numbers; the others are taken from nearby. */
  const all = (item: Item): Filled[] => {
    let lead: { property: Property; finds: Filled[] } | null = null;
    for (const property of properties) {
      if (property.confidence || (lead && numericSchema(property.schema))) continue;
      const finds = property.node.all(item);
      if (finds.length > (lead?.finds.length ?? 0)) lead = { property, finds };
    }
    const chosen = lead;
    return (
      chosen?.finds.map((filled) => fill(item, filled.at, { property: chosen.property, filled })) ??
      []
    );
  };
  return { fill: (item, near) => fill(item, near), all };
}

/** `company_confidence` is the company's score; a plain `confidence` that of the whole object. */
function confidence(
  { name, schema }: Property,
  properties: readonly Property[],
  filled: readonly (Filled | null)[],
  whole: number,
): number {
  const stem = name.replace(confidenceName, '');
  const about = stem ? properties.findIndex((property) => property.name === stem) : -1;
  const score = about >= 0 ? (filled[about]?.score ?? 0) : whole;
  const percent = (schema.maximum ?? 1) > 1 || typesOf(schema).includes('integer');
  const rounded = percent
    ? Math.round(score * Math.min(100, schema.maximum ?? 100))
    : Math.round(score * 1_000) / 1_000;
  return fitNumber(rounded, schema, typesOf(schema).includes('integer'));
}

function numericSchema(schema: JsonSchema): JsonSchema | null {
  if (typesOf(schema).some((type) => type === 'number' || type === 'integer')) return schema;
  return (
    schema.anyOf?.find((branch) =>
      typesOf(branch).some((type) => type === 'number' || type === 'integer'),
    ) ?? null
  );
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
