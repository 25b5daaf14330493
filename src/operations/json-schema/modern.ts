/**
 * A schema as draft 2020-12 writes it. Keywords of older drafts are translated where `$schema`
 * names such a draft, or none; where it names a draft that has another keyword for it, that one is
 * told. `nullable`, which is OpenAPI's, becomes a type.
 */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { withNull } from './nullable.ts';
import type { SchemaIssue } from './short-form.ts';
import { mapSubschemas } from './subschemas.ts';

interface Reading {
  /** 3 to 7, 2019 or 2020; null where the schema names none that is known. */
  draft: number | null;
  /** Reference by which the schema means itself as a whole, other than `#`. */
  address: string | null;
  issues: SchemaIssue[];
}

/** The whole schema, without its address and draft. Issues are added with their path. */
export function toModern(given: JsonSchema, issues: SchemaIssue[]): JsonSchema {
  const { $schema, $id, id, ...rest } = given;
  const addresses = [$id, id].filter((one) => typeof one === 'string' && one !== '') as string[];
  const reading = { draft: draftOf($schema), address: addresses[0] ?? null, issues };
  // An answer is an object in any case.
  const { nullable, ...root } = modernised(rest, [], reading);
  return root;
}

/** The path to the same place in the schema that was given, as far as it has other names there. */
export function givenPath(given: unknown, path: readonly string[]): string[] {
  const found: string[] = [];
  let at: unknown = given;
  for (const [index, key] of path.entries()) {
    const older = older2020.get(key);
    const isThere = Object.hasOwn(Object(at), key);
    // The alternative that stands for `nullable`.
    if (!isThere && key === 'anyOf') continue;
    if (!isThere && path[index - 1] === 'anyOf' && found.at(-1) !== 'anyOf') continue;
    const name = !isThere && older !== undefined && Object.hasOwn(Object(at), older) ? older : key;
    found.push(name);
    at = Object(at)[name];
  }
  return found;
}

const older2020 = new Map([
  ['prefixItems', 'items'],
  ['items', 'additionalItems'],
  ['dependentSchemas', 'dependencies'],
  ['dependentRequired', 'dependencies'],
]);

function draftOf($schema: unknown): number | null {
  const [, draft, year] = /draft-0?([3-7])\b|draft\/(20\d\d)-/.exec(String($schema)) ?? [];
  return draft === undefined && year === undefined ? null : Number(draft ?? year);
}

function modernise(schema: JsonSchema, path: string[], reading: Reading): JsonSchema {
  const node = modernised(schema, path, reading);
  const { nullable, ...rest } = node;
  if (nullable === undefined || nullable === false) return rest;
  if (nullable === true) return withNull(rest);
  reading.issues.push({ path: [...path, 'nullable'], message: 'must be true or false' });
  return rest;
}

/** With `nullable` still in it. */
function modernised(schema: JsonSchema, path: string[], reading: Reading): JsonRecord {
  const renamed = translate({ ...schema }, path, reading);
  return mapSubschemas(renamed, (inside, way) =>
    modernise(inside, [...path, ...givenPath(schema, way)], reading),
  );
}

function translate(node: JsonRecord, path: string[], reading: Reading): JsonRecord {
  translateItems(node, path, reading);
  translateLimit(node, ['minimum', 'exclusiveMinimum'], { path, reading });
  translateLimit(node, ['maximum', 'exclusiveMaximum'], { path, reading });
  translateDependencies(node);
  translateReferences(node, reading);
  refuseForgotten(node, path, reading);
  return node;
}

/** Schemas by position, and what stands behind them: `items` and `additionalItems` until 2019. */
function translateItems(node: JsonRecord, path: string[], { draft, issues }: Reading): void {
  const { items, additionalItems } = node;
  const isList = Array.isArray(items);
  if (!isList && additionalItems === undefined) return;
  if (draft === 2020 || (isList && node.prefixItems !== undefined)) {
    issues.push(
      isList
        ? {
            path: [...path, 'items'],
            message:
              'must be one schema for every entry: prefixItems replaces a list of schemas since draft 2020-12',
          }
        : {
            path: [...path, 'additionalItems'],
            message:
              'must be absent: items replaces it since draft 2020-12, for the entries after prefixItems',
          },
    );
    return;
  }
  delete node.additionalItems;
  if (isList) {
    delete node.items;
    node.prefixItems = items;
  }
  // Beside one schema for all entries it means nothing.
  if (additionalItems !== undefined && (isList || (node.prefixItems && items === undefined))) {
    node.items = additionalItems;
  }
}

/** A limit outside its range: a switch beside it until draft 4, a number of its own since. */
function translateLimit(
  node: JsonRecord,
  [inclusive, exclusive]: readonly [string, string],
  { path, reading: { draft, issues } }: { path: string[]; reading: Reading },
): void {
  const isExclusive = node[exclusive];
  if (typeof isExclusive !== 'boolean') return;
  const bound = node[inclusive];
  if ((draft !== null && draft > 4) || (isExclusive && typeof bound !== 'number')) {
    const example = typeof bound === 'number' ? bound : 0;
    const message = `must be a number: ${isExclusive} is of draft 4; ${exclusive}: ${example} in place of ${inclusive} replaces it`;
    issues.push({ path: [...path, exclusive], message });
    return;
  }
  delete node[exclusive];
  if (!isExclusive) return;
  delete node[inclusive];
  node[exclusive] = bound;
}

/** Names that a name needs, or a schema that its presence brings: two keywords since 2019. */
function translateDependencies(node: JsonRecord): void {
  const { dependencies } = node;
  if (!isRecord(dependencies)) return;
  delete node.dependencies;
  const entries = Object.entries(dependencies);
  const merge = (keyword: string, own: [string, unknown][]) => {
    if (own.length === 0) return;
    node[keyword] = Object.fromEntries([...Object.entries(Object(node[keyword])), ...own]);
  };
  // Draft 3 has a single name, too.
  const isNames = (needed: unknown) => Array.isArray(needed) || typeof needed === 'string';
  merge(
    'dependentRequired',
    entries
      .filter(([, needed]) => isNames(needed))
      .map(([name, needed]) => [name, [needed].flat()]),
  );
  merge(
    'dependentSchemas',
    entries.filter(([, needed]) => !isNames(needed)),
  );
}

/** References by the schema's own address, and to the root as 2019-09 writes them. */
function translateReferences(node: JsonRecord, { address }: Reading): void {
  if (node.$recursiveRef === '#') {
    delete node.$recursiveRef;
    node.$ref = '#';
  }
  delete node.$recursiveAnchor;
  const { $ref } = node;
  if (address === null || typeof $ref !== 'string') return;
  const [base, fragment = ''] = $ref.split('#');
  if (base !== '' && base === address.split('#')[0]) node.$ref = `#${fragment}`;
}

/** Keywords that no draft since has, so that they would ask for nothing. */
const forgotten: Record<string, string> = {
  divisibleBy: 'multipleOf',
  disallow: 'not',
  extends: 'allOf',
};

function refuseForgotten(node: JsonRecord, path: string[], { draft, issues }: Reading): void {
  for (const [keyword, replacement] of Object.entries(forgotten)) {
    if (!Object.hasOwn(node, keyword)) continue;
    issues.push({ path: [...path, keyword], message: `is of draft 3: ${replacement} replaces it` });
  }
  if (typeof ownValue(node, 'required') === 'boolean') {
    const message =
      'must be a list of names, beside properties: true or false in a property is of draft 3';
    issues.push({ path: [...path, 'required'], message });
  }
  if (typeof ownValue(node, 'id') !== 'string') return;
  if (draft === 3 || draft === 4) {
    const message = 'must be absent; refer to other parts by $ref, such as #/definitions/name';
    issues.push({ path: [...path, 'id'], message });
  }
}
