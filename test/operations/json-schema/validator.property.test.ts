/**
 * Our validator beside two others of the same draft of JSON Schema. Both have faults where keywords
 * count what others have seen to, each its own: only what the two agree on is held against ours.
 */
import { type Schema as AnySchema, Validator } from '@cfworker/json-schema';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
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
    .chain((chosen) => fc.record(Object.fromEntries(chosen)));
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

/** A schema that referred to itself for the same value would never end. */
function withoutReferences(given: unknown): unknown {
  return JSON.parse(JSON.stringify(given), (_name, inside) =>
    Object.hasOwn(Object(inside), '$ref') ? {} : inside,
  );
}

type Verdict = (value: unknown) => boolean | null;

/** Null where the two disagree, or the code that Ajv made of the schema cannot run. */
function verdictOfOthers(given: Schema): Verdict | null {
  const ajv = compile(given);
  if (!ajv) return null;
  const other = new Validator(given as AnySchema, '2020-12');
  return (one) => {
    const found = verdictOfAjv(ajv, one);
    return found === other.validate(one).valid ? found : null;
  };
}

function compile(given: Schema): ValidateFunction | null {
  const ajv = new Ajv2020({ strict: false, meta: false, ownProperties: true, logger: false });
  formats.default(ajv);
  try {
    return ajv.compile(given);
  } catch {
    return null;
  }
}

function verdictOfAjv(ajv: ValidateFunction, one: unknown): boolean | null {
  try {
    return ajv(one);
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof TypeError) return null;
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

it('takes what others take, and refuses what they refuse', () => {
  let taken = 0;
  let refused = 0;

  fc.assert(
    fc.property(root, fc.array(value, { minLength: 8, maxLength: 8 }), (given, values) => {
      const verdict = verdictOfOthers(given);
      if (!verdict) return;
      const ours = createValidator(given);
      for (const one of values) {
        const expected = verdict(one);
        if (expected === null) continue;
        const checking = ours.start(() => undefined);
        const found = isValid(() => checking.validate(one));
        expect({ given, one, found }).toEqual({ given, one, found: expected });
        expect(checking.accepts(given, one)).toBe(expected);
        if (expected) taken += 1;
        else refused += 1;
      }
    }),
    runsOf(500),
  );

  expect(taken).toBeGreaterThan(1_000);
  expect(refused).toBeGreaterThan(1_000);
});

const list = { $defs: { list: { type: ['object', 'array'], items: { $ref: '#/$defs/list' } } } };

it.each([
  [
    'items that one alternative has seen to, all of them',
    { oneOf: [{ items: { type: 'object' } }, { type: 'object' }], unevaluatedItems: false },
    [[], [{}], [{}, {}]],
    [[{}, 1]],
  ],
  [
    'no items that an alternative has seen to in vain',
    { ...list, anyOf: [true, { $ref: '#/$defs/list' }], unevaluatedItems: false },
    [[], [{}]],
    [[null]],
  ],
  [
    'no empty list that has to contain something',
    { prefixItems: [{ type: 'string' }], contains: {} },
    [['a']],
    [[]],
  ],
])('takes %s', (_name, given, taken, refused) => {
  const ours = createValidator(given);
  const isTaken = (one: unknown) => isValid(() => ours.start(() => undefined).validate(one));

  expect(taken.map(isTaken)).toEqual(taken.map(() => true));
  expect(refused.map(isTaken)).toEqual(refused.map(() => false));
});
