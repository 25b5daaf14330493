/** Schemas for the value at a place of an answer, found on the way down to the place. */
import { isRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { resolveReference } from './subschemas.ts';

/** A place in an answer. */
export interface Place {
  /** The types that any part of the schema names here, alternatives included. None without any. */
  readonly types: ReadonlySet<string>;
  /** The place of a member. */
  member(name: string): Place;
  /** The place of an entry of a list. */
  entry(at: number): Place;
}

/** Schemas that speak of one value; more are a schema that refers to itself. */
const maxSchemas = 1_000;

/** The place of a whole answer. */
export function rootPlace(root: JsonSchema): Place {
  return placeOf(root, [root]);
}

function placeOf(root: JsonSchema, given: readonly JsonSchema[]): Place {
  const schemas = withInPlace(root, given);
  const known = new Map<string, Place>();
  // Names and positions that the schemas do not tell apart are one place, however many an answer
  // has.
  const patterns = schemas.flatMap((schema) =>
    Object.entries(Object(ownValue(schema, 'patternProperties'))),
  );
  const place = (key: string, children: () => unknown[]): Place => {
    const found = known.get(key) ?? placeOf(root, children().filter(isRecord));
    known.set(key, found);
    return found;
  };
  const each = (keyword: string) => schemas.map((schema) => ownValue(schema, keyword));
  return {
    types: new Set(schemas.flatMap(namedTypes)),
    member(name) {
      const named = each('properties').some((members) => Object.hasOwn(Object(members), name));
      const fits = patterns.filter(([pattern]) => new RegExp(pattern, 'u').test(name));
      if (!named && fits.length === 0) return place('other', () => each('additionalProperties'));
      return place(named ? `.${name}` : `~${fits.map(([pattern]) => pattern).join('\0')}`, () => [
        ...each('properties').map((members) => ownValue(Object(members), name)),
        ...fits.map(([, schema]) => schema),
      ]);
    },
    entry(at) {
      const positions = each('prefixItems').map((entries) => [entries ?? []].flat());
      const own = positions.some(({ length }) => at < length);
      return own
        ? place(`#${at}`, () => positions.map((entries) => entries[at]))
        : place('items', () => each('items'));
    },
  };
}

/** These schemas and all that apply to the same value through them. */
function withInPlace(root: JsonSchema, schemas: readonly JsonSchema[]): JsonSchema[] {
  const found = new Set(schemas);
  for (const schema of found) {
    if (found.size > maxSchemas) break;
    const others = ['allOf', 'anyOf', 'oneOf', 'then', 'else'].flatMap((keyword) =>
      [ownValue(schema, keyword) ?? []].flat(),
    );
    for (const other of [resolveReference(root, ownValue(schema, '$ref')), ...others]) {
      if (isRecord(other)) found.add(other);
    }
  }
  return [...found];
}

function namedTypes(schema: JsonSchema): string[] {
  const type = ownValue(schema, 'type');
  if (type !== undefined) return [type].flat().map(String);
  const value = ownValue(schema, 'const');
  const values = value === undefined ? [ownValue(schema, 'enum') ?? []].flat() : [value];
  return [...new Set(values.map((one) => (one === null ? 'null' : typeof one)))];
}
