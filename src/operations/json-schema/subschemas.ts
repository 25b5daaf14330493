/** Where a JSON Schema (draft 2020-12, and `definitions` of older ones) holds other schemas. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';

const schemaKeywords = [
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const listKeywords = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];
const mapKeywords = ['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties'];

const plainKeywords =
  'additionalItems const contentEncoding contentMediaType dependencies dependentRequired discriminator enum exclusiveMaximum exclusiveMinimum externalDocs format maxContains maxItems maxLength maxProperties maximum minContains minItems minLength minProperties minimum multipleOf nullable pattern required type uniqueItems xml';
const annotationKeywords =
  '$comment default deprecated description example examples readOnly title writeOnly';
const knownKeywords = new Set([
  ...schemaKeywords,
  ...listKeywords,
  ...mapKeywords,
  ...plainKeywords.split(' '),
  ...annotationKeywords.split(' '),
]);

/** True for a keyword of JSON Schema or OpenAPI's schemas, and a key that begins like one. */
export function isKeyword(key: string): boolean {
  return knownKeywords.has(key) || /^(?:\$|x-)/.test(key);
}

/** The keywords whose schemas apply to the same value as the schema that holds them. */
export const inPlaceKeywords = new Set([
  'allOf',
  'anyOf',
  'dependentSchemas',
  'else',
  'if',
  'not',
  'oneOf',
  'then',
]);

export interface Subschema {
  keyword: string;
  /** From the schema that holds it. */
  path: string[];
  schema: JsonSchema;
}

/** The schemas directly inside one; boolean schemas are left out. */
export function subschemas(schema: JsonSchema): Subschema[] {
  const found: Subschema[] = [];
  const add = (keyword: string, path: string[], child: unknown) => {
    if (isRecord(child)) {
      found.push({ keyword, path, schema: child });
    }
  };
  for (const keyword of schemaKeywords) {
    add(keyword, [keyword], ownValue(schema, keyword));
  }
  for (const keyword of [...listKeywords, ...mapKeywords]) {
    const children = ownValue(schema, keyword);
    if (typeof children === 'object' && children !== null) {
      for (const [key, child] of Object.entries(children)) {
        add(keyword, [keyword, key], child);
      }
    }
  }
  return found;
}

/** The schema with what `change` makes of each schema directly inside it; boolean schemas stay. */
export function mapSubschemas(
  schema: JsonSchema,
  change: (inside: JsonSchema, path: string[]) => unknown,
): JsonRecord {
  const copy: JsonRecord = { ...schema };
  for (const { keyword, path, schema: inside } of subschemas(schema)) {
    const [, key] = path;
    const changed = change(inside, path);
    if (key === undefined) {
      copy[keyword] = changed;
      continue;
    }
    const held = copy[keyword] === schema[keyword] ? copyOf(schema[keyword]) : copy[keyword];
    Object.defineProperty(held, key, { value: changed, enumerable: true, writable: true });
    copy[keyword] = held;
  }
  return copy;
}

/** Copy of a list, or of an object with any names. */
function copyOf(held: unknown): unknown {
  return Array.isArray(held) ? [...held] : Object.fromEntries(Object.entries(Object(held)));
}

/** The schema and every schema inside it, each with its path from the root. */
export function* everySchema(
  schema: JsonSchema,
  path: string[] = [],
): Generator<{ path: string[]; schema: JsonSchema }> {
  yield { path, schema };
  for (const child of subschemas(schema)) {
    yield* everySchema(child.schema, [...path, ...child.path]);
  }
}

/** The keywords that the schema and the schemas inside it use. */
export function everyKeyword(schema: JsonSchema): Set<string> {
  return new Set([...everySchema(schema)].flatMap((part) => Object.keys(part.schema)));
}

/** Target of a local reference (`#` or `#/…`). Undefined when it is not an object schema. */
export function resolveReference(root: JsonSchema, reference: unknown): JsonSchema | undefined {
  const segments = referencePath(reference);
  let target: unknown = root;
  for (const segment of segments ?? []) {
    if (typeof target !== 'object' || target === null) {
      return undefined;
    }
    target = ownValue(target as JsonSchema, segment);
  }
  return segments && isRecord(target) ? target : undefined;
}

/** The segments of a local reference; null for any other. */
export function referencePath(reference: unknown): string[] | null {
  if (typeof reference !== 'string' || !/^#(?:\/|$)/.test(reference)) {
    return null;
  }
  try {
    return reference
      .split('/')
      .slice(1)
      .map((segment) => decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~'));
  } catch {
    return null; // a % that encodes nothing
  }
}

/** The schema, or the end of a chain of references with only annotations beside them. */
export function followReferences(root: JsonSchema, schema: JsonSchema): JsonSchema {
  let current = schema;
  for (let hops = 0; hops < 100 && Object.hasOwn(current, '$ref'); hops += 1) {
    const next = resolveReference(root, current.$ref);
    if (!next) {
      return current;
    }
    current = next;
  }
  return current;
}
