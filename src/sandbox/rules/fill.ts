/**
 * The schema walker: compiles a JSON Schema to a function that fills it from a text. Every answer
 * satisfies its schema, but for patterns and formats that rules cannot meet.
 */
import { compileBoolean, compileEnum } from './choices.ts';
import { isObject, type JsonSchema, resolve, typesOf } from './json-schema.ts';
import {
  bestOf,
  type Filled,
  finder,
  nothing,
  type Place,
  type PromptContext,
  type SchemaNode,
} from './node.ts';
import { compileNumber } from './numbers.ts';
import { compileObject } from './object.ts';
import { compileString } from './strings.ts';

export function compileSchema(root: JsonSchema, context: PromptContext): (text: string) => Filled {
  const place = { name: '', description: '', root, depth: 0, context, compile: compileNode };
  return compileNode(root, place).fill;
}

function compileNode(raw: unknown, outer: Place): SchemaNode {
  const schema = isObject(raw) ? withTold(raw) : {};
  const place = { ...outer, description: String(schema.description ?? outer.description) };
  if ('const' in schema) return constant(schema.const);
  if (Array.isArray(schema.enum)) return compileEnum(schema, place);
  if (typeof schema.$ref === 'string') return reference(schema.$ref, place);
  const { allOf, anyOf, oneOf, ...beside } = schema;
  if (allOf) return place.compile(Object.assign({}, ...[allOf].flat(), beside), place);
  const types = typesOf(schema);
  const branches = anyOf ?? oneOf ?? types.map((type) => ({ type }));
  if (anyOf || oneOf || types.length > 1)
    return union(
      branches.map((branch) => ({ ...beside, ...branch })),
      place,
    );
  if (types[0] === 'object') return compileObject(schema, place);
  if (types[0] === 'array') return compileArray(schema, place);
  if (types[0] === 'number' || types[0] === 'integer') return compileNumber(schema, place);
  if (types[0] === 'boolean') return compileBoolean(place);
  return types[0] === 'null' ? constant(null) : compileString(schema, place);
}

const constant = (value: unknown): SchemaNode =>
  finder(value, () => (value === null ? [] : [{ value, score: 1 }]));

/** A schema that holds itself is entered this often. */
const maxDepth = 3;

/** Compiled when first asked. */
function reference(pointer: string, place: Place): SchemaNode {
  const target = resolve(place.root, pointer) ?? {};
  let compiled: SchemaNode | undefined;
  const node = (): SchemaNode => {
    compiled ??= place.compile(target, { ...place, depth: place.depth + 1 });
    return compiled;
  };
  if (place.depth >= maxDepth) return constant(null);
  return { fill: (text) => node().fill(text), all: (text) => node().all(text) };
}

/** The branch with the best find; else null where that is allowed, else the first branch. */
function union(branches: readonly JsonSchema[], place: Place): SchemaNode {
  const others = branches.filter((own) => typesOf(own)[0] !== 'null' && own.const !== null);
  const isNullable = others.length < branches.length;
  // A choice beside which null is allowed need not be made.
  const nodes = others.map((own) =>
    place.compile(isNullable && own.enum ? { ...own, enum: [...own.enum, null] } : own, place),
  );
  return {
    fill(text) {
      const best = bestOf(nodes.map((node) => node.fill(text)));
      return best && (best.score > 0 || !isNullable) ? best : nothing(null);
    },
    all: (text) => nodes.map((node) => node.all(text)).sort((a, b) => b.length - a.length)[0] ?? [],
  };
}

const maxItems = 20;

/** Lists: every find of the items' kind, no fewer and no more than the schema allows. */
function compileArray(schema: JsonSchema, place: Place): SchemaNode {
  const own = isObject(schema.items) ? schema.items : {};
  const node = place.compile(own, place);
  const least = Math.max(0, schema.minItems ?? 0);
  const most = Math.min(schema.maxItems ?? maxItems, Math.max(maxItems, least));
  const choices: readonly unknown[] = Array.isArray(own.enum) ? own.enum : [];
  const fill = (text: string): Filled => {
    const distinct = new Map(node.all(text).map((one) => [JSON.stringify(one.value), one]));
    const items = [...distinct.values()].slice(0, most);
    // A list of labels that matches nothing still names the likeliest, as a model would.
    if (items.length === 0 && choices.length > 0 && most > 0) items.push(node.fill(text));
    const others = choices.filter((choice) => !items.some(({ value }) => value === choice));
    while (items.length < least && items.length < 1_000)
      items.push(others.length > 0 ? nothing(others.shift()) : (items.at(-1) ?? node.fill(text)));
    return {
      value: items.map(({ value }) => value),
      score: items.reduce((sum, { score }) => sum + score, 0) / Math.max(1, items.length),
      decisions: items.flatMap(({ decisions }) => decisions),
    };
  };
  return { fill, all: (text) => [fill(text)] };
}

/** Limits that strict mode does not take are told in words: `Constraints: {"maxLength": 20}`. */
function withTold(schema: JsonSchema): JsonSchema {
  const told = /(?:^|\n)Constraints: (\{.{1,500}\})$/.exec(String(schema.description ?? ''));
  try {
    return told ? { ...JSON.parse(told[1] ?? ''), ...schema } : schema;
  } catch {
    return schema;
  }
}
