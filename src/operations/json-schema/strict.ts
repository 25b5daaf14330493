/**
 * Rewrites a JSON Schema into the subset of strict structured output (OpenAI's guide "Structured
 * model outputs", section "Supported schemas"). The root is an object, every object is closed,
 * every property is required, and optional properties are nullable. A constraint that the subset
 * lacks is dropped, since Winnow's own validation enforces it. A keyword that changes the shape of
 * an answer is a problem, and the caller falls back to json_object.
 */
import { isRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { limitProblems, maxNesting, strictName } from './limits.ts';
import {
  constraints,
  describeNode,
  isAnnotation,
  nullable,
  onlyAllOf,
  typesOf,
  valuesNode,
} from './strict-nodes.ts';
import {
  checkFirstKeys,
  checkReferenceSiblings,
  type Rewriting,
  rewriteReference,
} from './strict-references.ts';
import { followReferences, referencePath, resolveReference } from './subschemas.ts';

const inexpressibleKeywords = [
  'allOf',
  'contains',
  'dependencies',
  'dependentRequired',
  'dependentSchemas',
  'else',
  'if',
  'not',
  'patternProperties',
  'prefixItems',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
];

/** The strict schema; null, and the reasons, where the subset has none for it. */
export function toStrictSchema(root: JsonSchema): {
  schema: JsonSchema | null;
  problems: readonly string[];
} {
  const rewriting: Rewriting = { root, problems: [], used: new Set() };
  const schema = { ...rewriteRoot(rewriting), ...rewriteDefinitions(rewriting) };
  const problems =
    rewriting.problems.length > 0 ? [...new Set(rewriting.problems)] : limitProblems(schema);
  return { schema: problems.length > 0 ? null : schema, problems };
}

/** Generators like to put the root behind a reference; strict mode wants the object itself. */
function rewriteRoot(rewriting: Rewriting): JsonSchema {
  const { root, problems } = rewriting;
  if (Object.hasOwn(root, '$ref')) {
    checkReferenceSiblings(root, problems);
  }
  const top = followReferences(root, root);
  if (
    !typesOf(top).includes('object') ||
    Object.hasOwn(top, 'anyOf') ||
    Object.hasOwn(top, 'oneOf')
  ) {
    problems.push('the root is not simply an object');
    return {};
  }
  return rewriteSchema({ ...top, type: 'object' }, 1, rewriting);
}

/**
 * Only used definitions are sent. A used definition may use others: a Set that grows during a loop
 * is read to its end.
 */
function rewriteDefinitions(rewriting: Rewriting): Record<string, JsonSchema> {
  const maps = new Map<string, [string, JsonSchema][]>();
  for (const reference of rewriting.used) {
    const [keyword = '', name = ''] = referencePath(reference) ?? [];
    if (!strictName.test(name)) {
      rewriting.problems.push('the name of a definition');
    }
    const schema = rewriteSchema(resolveReference(rewriting.root, reference), 1, rewriting);
    maps.set(keyword, [...(maps.get(keyword) ?? []), [name, schema]]);
  }
  return Object.fromEntries([...maps].map(([key, entries]) => [key, Object.fromEntries(entries)]));
}

/** `level` counts this schema and the objects and lists around it. */
function rewriteSchema(schema: unknown, level: number, rewriting: Rewriting): JsonSchema {
  const { problems } = rewriting;
  if (!isRecord(schema)) {
    problems.push('a value of any type');
    return {};
  }
  const only = onlyAllOf(schema);
  if (only) {
    return rewriteSchema({ ...only, ...describeNode(schema) }, level, rewriting);
  }
  problems.push(...inexpressibleKeywords.filter((keyword) => Object.hasOwn(schema, keyword)));
  if ((ownValue(schema, 'additionalProperties') ?? false) !== false) {
    problems.push('additionalProperties');
  }
  if (Object.hasOwn(schema, '$ref')) {
    return rewriteReference(schema, rewriting);
  }
  if (Object.hasOwn(schema, 'anyOf') || Object.hasOwn(schema, 'oneOf')) {
    return { ...describeNode(schema), ...rewriteAlternatives(schema, level, rewriting) };
  }
  if (Object.hasOwn(schema, 'enum') || Object.hasOwn(schema, 'const')) {
    const values = valuesNode(schema);
    problems.push(...(values ? [] : ['an enum or const of other than plain values']));
    return { ...describeNode(schema), ...values };
  }
  return rewriteTypes(schema, level, rewriting);
}

function rewriteAlternatives(schema: JsonSchema, level: number, rewriting: Rewriting): JsonSchema {
  const { anyOf, oneOf } = schema;
  const siblings = Object.keys(schema).filter((key) => !isAnnotation(key));
  if (siblings.length !== 1) {
    rewriting.problems.push('anyOf or oneOf with keywords beside it');
  }
  // Our validation holds a oneOf to exactly one; the subset only knows anyOf.
  const branches: readonly unknown[] = [anyOf ?? oneOf].flat();
  checkFirstKeys(branches, rewriting);
  return { anyOf: branches.map((branch) => rewriteSchema(branch, level, rewriting)) };
}

function rewriteTypes(schema: JsonSchema, level: number, rewriting: Rewriting): JsonSchema {
  const types = typesOf(schema);
  if (types.length === 0) {
    rewriting.problems.push('a value of any type');
  }
  const nodes = types
    .filter((type) => type !== 'null')
    .map((type) => rewriteType(type, schema, level, rewriting));
  const node = nodes.length === 1 ? (nodes[0] ?? {}) : nodes.length > 1 ? { anyOf: nodes } : null;
  if (!node) {
    return { ...describeNode(schema), type: 'null' };
  }
  return types.includes('null') ? nullable(node) : node;
}

function rewriteType(
  type: string,
  schema: JsonSchema,
  level: number,
  rewriting: Rewriting,
): JsonSchema {
  const node = { ...describeNode(schema), type, ...constraints(type, schema) };
  if (type !== 'object' && type !== 'array') {
    return node;
  }
  if (level > maxNesting) {
    rewriting.problems.push(`more than ${maxNesting} levels`);
    return {};
  }
  return type === 'object'
    ? { ...node, ...rewriteProperties(schema, level, rewriting) }
    : { ...node, items: rewriteSchema(ownValue(schema, 'items'), level + 1, rewriting) };
}

function rewriteProperties(schema: JsonSchema, level: number, rewriting: Rewriting): JsonSchema {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const names = Object.keys(properties);
  const required = new Set([schema.required ?? []].flat());

  if (names.length === 0 && schema.additionalProperties !== false) {
    rewriting.problems.push('an object of any shape');
  }
  if ([...required].some((name) => !Object.hasOwn(properties, String(name)))) {
    rewriting.problems.push('a required property without a schema');
  }
  if (!names.every((name) => strictName.test(name))) {
    rewriting.problems.push('the name of a property');
  }
  const rewritten = names.map((name) => {
    const property = rewriteSchema(properties[name], level + 1, rewriting);
    return [name, required.has(name) ? property : nullable(property)];
  });
  return {
    properties: Object.fromEntries(rewritten),
    required: names,
    additionalProperties: false,
  };
}
