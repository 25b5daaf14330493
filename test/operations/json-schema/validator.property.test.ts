/** Our validator beside ajv, which reads the same draft of JSON Schema. */
import { _, Ajv2020, type KeywordCxt, Name, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { InvalidOutput } from '../../../src/core/errors.ts';
import { createValidator } from '../../../src/operations/json-schema/validator.ts';
import { runsOf } from '../../support/random.ts';

type Schema = Record<string, unknown>;

const name = fc.constantFrom('a', 'b', 'c', 'ab', 'length');
const small = fc.integer({ min: 0, max: 3 });
const number = fc.integer({ min: -2, max: 4 });
const type = fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', 'object', 'array');

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, 1, 2, 3.5, -1, 10),
    fc.constantFrom('', 'a', 'bb', 'abc', '2024-01-01', '😀'),
    fc.array(tie('value'), { maxLength: 4 }),
    dictionary(tie('value'), 4),
  ),
}));

const { schema } = fc.letrec<{ schema: unknown }>((tie) => {
  const inside = tie('schema');
  const insides = (maxLength: number) => fc.array(inside, { minLength: 1, maxLength });
  const keywords: Record<string, fc.Arbitrary<unknown>> = {
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })),
    enum: fc.array(value, { minLength: 1, maxLength: 3 }),
    const: value,
    minimum: number,
    maximum: number,
    exclusiveMinimum: number,
    exclusiveMaximum: number,
    multipleOf: fc.constantFrom(1, 2, 0.5),
    minLength: small,
    maxLength: small,
    pattern: fc.constantFrom('^a', 'b$', '.'),
    format: fc.constantFrom('date', 'email', 'of nobody'),
    required: fc.uniqueArray(name, { maxLength: 2 }),
    minProperties: small,
    maxProperties: small,
    properties: dictionary(inside, 3),
    patternProperties: fc.dictionary(fc.constantFrom('^a', 'b'), inside, {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    additionalProperties: inside,
    propertyNames: fc.constantFrom({ maxLength: 1 }, { pattern: 'a' }, false),
    dependentRequired: fc.constantFrom({ a: ['b'] }, { b: ['a', 'c'] }),
    dependentSchemas: dictionary(inside, 1),
    prefixItems: insides(2),
    items: inside,
    minItems: small,
    maxItems: small,
    uniqueItems: fc.boolean(),
    contains: inside,
    minContains: small,
    maxContains: small,
    allOf: insides(2),
    anyOf: insides(3),
    oneOf: insides(3),
    not: inside,
    if: inside,
    then: inside,
    else: inside,
    unevaluatedProperties: fc.boolean(),
    unevaluatedItems: fc.boolean(),
  };
  // Chosen first: values of all keywords, and of all keywords inside of them, would take seconds.
  const few = fc
    .subarray(Object.entries(keywords), { maxLength: 4 })
    .chain((chosen) => fc.record(Object.fromEntries(chosen)))
    .map((made): unknown => withoutAjvsFault(made));
  const leaf = fc.constantFrom<unknown>(
    true,
    false,
    {},
    { $ref: '#/$defs/list' },
    { type: 'object' },
  );
  return { schema: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, few) };
});

const root = fc.tuple(schema, schema).map(
  ([first, second]): Schema => ({
    allOf: [first],
    $defs: {
      list: {
        type: ['object', 'array', 'string'],
        properties: { a: { $ref: '#/$defs/list' }, b: withoutReferences(second) },
        items: { $ref: '#/$defs/list' },
      },
    },
  }),
);

function dictionary<T>(of: fc.Arbitrary<T>, maxKeys: number): fc.Arbitrary<Record<string, T>> {
  return fc.dictionary(name, of, { maxKeys, noNullPrototype: true });
}

/** An empty list contains nothing; Ajv 8 takes it where prefixItems stands beside contains. */
function withoutAjvsFault(keywords: Record<string, unknown>): Record<string, unknown> {
  if (!('prefixItems' in keywords)) return keywords;
  const { contains: _, ...others } = keywords;
  return others;
}

/** A schema that referred to itself for the same value would never end. */
function withoutReferences(given: unknown): unknown {
  return JSON.parse(JSON.stringify(given), (_name, inside) =>
    Object.hasOwn(Object(inside), '$ref') ? {} : inside,
  );
}

/**
 * Ajv 8 counts the items that alternatives have seen to, and compares with the number also where it
 * is `true`, which stands for all of them: from two items on it then refuses what is right.
 */
function withoutFaultOfItems(ajv: Ajv2020): void {
  const theirs = ajv.getKeyword('unevaluatedItems');
  if (typeof theirs !== 'object' || !('code' in theirs)) throw new TypeError('Ajv must know it.');
  ajv.removeKeyword('unevaluatedItems');
  ajv.addKeyword({
    ...theirs,
    code(context: KeywordCxt) {
      const { gen, it } = context;
      if (it.items instanceof Name) {
        it.items = gen.const('items', _`${it.items} === true ? Infinity : ${it.items}`);
      }
      theirs.code(context);
    },
  });
}

function compile(given: Schema): ValidateFunction | null {
  const ajv = new Ajv2020({ strict: false, meta: false, ownProperties: true, logger: false });
  formats.default(ajv);
  withoutFaultOfItems(ajv);
  try {
    return ajv.compile(given);
  } catch {
    return null;
  }
}

/**
 * Null where the code that Ajv made of the schema is broken: it names a variable that is not there.
 */
function verdictOf(theirs: ValidateFunction, one: unknown): boolean | null {
  try {
    return theirs(one);
  } catch (error) {
    if (error instanceof ReferenceError) return null;
    throw error;
  }
}

function isValid(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof InvalidOutput)) throw error;
    return false;
  }
}

it('takes what ajv takes, and refuses what it refuses', () => {
  let taken = 0;
  let refused = 0;

  fc.assert(
    fc.property(root, fc.array(value, { minLength: 8, maxLength: 8 }), (given, values) => {
      const theirs = compile(given);
      if (!theirs) return;
      const ours = createValidator(given);
      for (const one of values) {
        const checking = ours.start(() => undefined);
        const expected = verdictOf(theirs, one);
        if (expected === null) return;
        const found = isValid(() => checking.validate(one));
        expect({ given, one, found }).toEqual({ given, one, found: expected });
        expect(checking.accepts(given, one)).toBe(expected);
        if (expected) taken += 1;
        else refused += 1;
      }
    }),
    runsOf(500),
  );

  expect(taken).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
});

it('takes items that one alternative has seen to for all of them', () => {
  const given = {
    oneOf: [{ items: { type: 'object' } }, { type: 'object' }],
    unevaluatedItems: false,
  };
  const ours = createValidator(given);
  const lists = [[], [{}], [{}, {}], [{}, 1]];

  const found = lists.map((list) => isValid(() => ours.start(() => undefined).validate(list)));

  expect(found).toEqual([true, true, true, false]);
  expect(lists.map((list) => compile(given)?.(list))).toEqual(found);
});

it('finds nothing in an empty list that has to contain something', () => {
  const ours = createValidator({ prefixItems: [{ type: 'string' }], contains: {} });
  const isTaken = (value: unknown) => isValid(() => ours.start(() => undefined).validate(value));

  expect([isTaken([]), isTaken(['a'])]).toEqual([false, true]);
});
