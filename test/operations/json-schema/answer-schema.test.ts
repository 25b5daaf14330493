import { describe, expect, it } from 'vitest';
import { InvalidOutput } from '../../../src/core/errors.ts';
import { createCheckTime } from '../../../src/operations/check-time.ts';
import {
  answerSchemaIssues,
  prepareAnswerSchema,
} from '../../../src/operations/json-schema/answer-schema.ts';
import { toStrictSchema } from '../../../src/operations/json-schema/strict.ts';
import { ending } from '../../support/ending.ts';
import { strictBreaches } from '../../support/strict-schema.ts';

const objectOf = (properties: object, rest: object = {}) => ({
  type: 'object',
  properties,
  ...rest,
});
const read = (schema: Record<string, unknown>, answer: unknown) =>
  prepareAnswerSchema(schema).read(JSON.stringify(answer), { time: createCheckTime() });
const issuesOf = (schema: Record<string, unknown>) =>
  answerSchemaIssues(schema).map(({ path, message }) => `${path.join('.')}: ${message}`);

function faultOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it must throw an error');
}

describe('the short form', () => {
  it('has null for what is unknown, an empty list, and leaves out what has a ?', () => {
    const { schema, strict } = prepareAnswerSchema({
      a: 'string',
      n: 'number[]',
      d: 'date?',
      o: { b: 'boolean' },
      l: [{ i: 'integer' }],
      s: ['string'],
    });

    expect(schema).toEqual({
      type: 'object',
      properties: {
        a: { type: ['string', 'null'] },
        n: { type: 'array', items: { type: 'number' } },
        d: { type: ['string', 'null'], format: 'date' },
        o: {
          type: 'object',
          properties: { b: { type: ['boolean', 'null'] } },
          required: ['b'],
          additionalProperties: false,
        },
        l: {
          type: 'array',
          items: {
            type: 'object',
            properties: { i: { type: ['integer', 'null'] } },
            required: ['i'],
            additionalProperties: false,
          },
        },
        s: { type: 'array', items: { type: 'string' } },
      },
      required: ['a', 'n', 'd', 'o', 'l', 's'],
      additionalProperties: false,
    });
    expect(strict).toBe(true);
  });

  it.each([
    [{ type: 'string', name: 'string' }, ['type', 'name']],
    [{ properties: 'string[]', items: { sku: 'string' } }, ['properties', 'items']],
    [{ properties: { color: 'string' } }, ['properties']],
    [
      { anyOf: 'string', constructor: 'string', description: 'string' },
      ['anyOf', 'constructor', 'description'],
    ],
  ])('may have fields called like keywords: %j', (schema, columns) => {
    expect(prepareAnswerSchema(schema).columns).toEqual(columns);
  });

  it.each([
    [{ type: 'object', properties: { a: { type: 'string' } } }, ['a']],
    [{ properties: { a: { type: 'string' } } }, ['a']],
    [{ $ref: '#/$defs/A', $defs: { A: { properties: { a: { type: 'string' } } } } }, ['a']],
    [{ type: 'object' }, null],
  ])('is told from the full schema %j', (schema, columns) => {
    expect(prepareAnswerSchema(schema).columns).toEqual(columns);
  });
});

describe('a schema', () => {
  it.each([
    [objectOf({ a: { type: 'strng' } }), /^properties.a.type: must be one or a list of/],
    [objectOf({ a: 3 }), /^properties.a: must be object,boolean/],
    [objectOf({ a: { minLength: -1 } }), /^properties.a.minLength: must be >= 0/],
    [objectOf({ a: { pattern: '(' } }), /^properties.a.pattern: must be a regular expression/],
    [objectOf({}, { patternProperties: { '[': {} } }), /^patternProperties.\[: must be a regular/],
    [objectOf({ a: { pattern: 'a'.repeat(1001) } }), /^properties.a.pattern: must have at most/],
    [objectOf({ a: { $ref: 'https://example.com/a' } }), /^properties.a.\$ref: must point into/],
    [objectOf({ a: { $ref: '#/$defs/b' } }), /^properties.a.\$ref: must point into/],
    [objectOf({ a: { $id: 'x' } }), /^properties.a.\$id: must be absent/],
    [objectOf({ a: { $dynamicRef: '#x' } }), /^properties.a.\$dynamicRef: must be absent/],
    [
      objectOf({ a: { $ref: '#/$defs/a' } }, { $defs: { a: { $ref: '#/$defs/a' } } }),
      /^: must not refer to itself/,
    ],
    [{ allOf: [{ $ref: '#' }], type: 'object' }, /^: must not refer to itself/],
    [objectOf({ a: { description: 'x'.repeat(100_000) } }), /^: must have at most/],
    [{ type: 'array', items: {} }, /^: must describe an object/],
    [{ anyOf: [objectOf({}), { type: 'string' }] }, /^: must describe an object/],
    [
      JSON.parse('{"type": "object", "properties": {"__proto__": {"type": "string"}}}'),
      /^properties.__proto__: must not be used/,
    ],
  ])('%j is refused', (schema, message) => {
    expect(issuesOf(schema)[0]).toMatch(message);
  });

  it('may name a draft and its own address', () => {
    const schema = objectOf({ a: { type: 'string' } });

    for (const $schema of ['http://json-schema.org/draft-07/schema#', 'https://example.com/x']) {
      expect(issuesOf({ $schema, $id: 'https://example.com/y', ...schema })).toEqual([]);
    }
  });

  it('of 100 kB is made ready', () => {
    const names = Array.from({ length: 2_300 }, (_, index) => `p${index}`);
    const properties = names.map((name) => [name, { type: 'string', minLength: 2 }]);

    const schema = objectOf(Object.fromEntries(properties));
    const { columns } = ending(() => prepareAnswerSchema(schema));

    expect(columns).toEqual(names);
  });

  it('with a catastrophic pattern is checked for one answer, and the next ones are refused unchecked', () => {
    const answerSchema = prepareAnswerSchema(
      objectOf({ a: { type: 'string', pattern: '^(a|a)*$' } }),
    );
    const answer = JSON.stringify({ a: `${'a'.repeat(50)}b` });
    const time = createCheckTime();

    const faults = Array.from({ length: 20 }, () =>
      faultOf(() => answerSchema.read(answer, { time })),
    );

    expect(faults.every((fault) => fault instanceof InvalidOutput)).toBe(true);
    // Only a check that was begun is stopped, and what stopped it is the cause.
    expect(faults.map(({ cause }) => cause !== undefined)).toEqual([
      true,
      ...Array(19).fill(false),
    ]);
  });
});

describe('the strict rewrite', () => {
  it.each([
    [
      'an open object with optional properties',
      objectOf({ a: { type: 'string' }, b: { type: 'integer' } }, { required: ['a'] }),
    ],
    [
      'constraints that strict mode lacks',
      objectOf({
        a: {
          type: 'string',
          minLength: 2,
          default: 'x',
          title: 'T',
          pattern: '(?=x)',
          format: 'uri',
        },
      }),
    ],
    [
      'enums and constants',
      objectOf({
        a: { enum: ['x', 1, null] },
        b: { const: 'y' },
        c: { type: ['string', 'null'], enum: ['z', null] },
      }),
    ],
    [
      'unions of types',
      objectOf({
        a: { type: ['string', 'number', 'null'] },
        b: { type: ['object', 'null'], properties: { c: { type: 'null' } } },
      }),
    ],
    ['oneOf', objectOf({ a: { oneOf: [{ type: 'string' }, { type: 'number' }] } })],
    [
      'a wrapped reference',
      objectOf(
        { a: { allOf: [{ $ref: '#/definitions/A' }], description: 'd' } },
        { definitions: { A: { type: 'string' }, unused: {} } },
      ),
    ],
    [
      'recursion',
      objectOf(
        { next: { $ref: '#' }, tree: { $ref: '#/$defs/T' } },
        { $defs: { T: objectOf({ kids: { type: 'array', items: { $ref: '#/$defs/T' } } }) } },
      ),
    ],
    [
      'a root behind a reference',
      { $ref: '#/definitions/R', definitions: { R: objectOf({ a: { type: 'string' } }) } },
    ],
    [
      'tagged alternatives',
      objectOf({
        a: { anyOf: [objectOf({ kind: { const: 'x' } }), objectOf({ kind: { const: 'y' } })] },
      }),
    ],
  ])('takes %s', (_, original) => {
    const { schema, strict } = prepareAnswerSchema(original);

    expect(strict).toBe(true);
    expect(strictBreaches(schema)).toEqual([]);
  });

  const nested = (depth: number): object =>
    objectOf(depth === 0 ? { a: { type: 'string' } } : { a: nested(depth - 1) });
  const many = (length: number) =>
    Object.fromEntries(Array.from({ length }, (_, i) => [`p${i}`, { type: 'null' }]));

  it.each([
    ['allOf', objectOf({ a: { allOf: [{ type: 'string' }, { minLength: 1 }] } })],
    ['not', objectOf({ a: { type: 'string', not: { const: 'x' } } })],
    ['if', objectOf({ a: { type: 'string' } }, { if: { required: ['a'] } })],
    ['patternProperties', objectOf({ a: { type: 'string' } }, { patternProperties: { '^x': {} } })],
    ['dependentRequired', objectOf({ a: { type: 'string' } }, { dependentRequired: { a: ['b'] } })],
    ['prefixItems', objectOf({ a: { type: 'array', prefixItems: [{ type: 'string' }] } })],
    [
      'additionalProperties: true',
      objectOf({ a: { type: 'string' } }, { additionalProperties: true }),
    ],
    ['a map', objectOf({ a: { type: 'object', additionalProperties: { type: 'string' } } })],
    ['an object of any shape', objectOf({ a: { type: 'object' } })],
    ['a value of any type', objectOf({ a: {} })],
    ['a list of anything', objectOf({ a: { type: 'array' } })],
    [
      'a reference with siblings',
      objectOf({ a: { $ref: '#/$defs/A', minLength: 1 } }, { $defs: { A: { type: 'string' } } }),
    ],
    [
      'alternatives at the root',
      { anyOf: [objectOf({ a: { type: 'string' } }), objectOf({ b: { type: 'string' } })] },
    ],
    [
      'alternatives that begin alike',
      objectOf({
        a: { anyOf: [objectOf({ k: { type: 'string' } }), objectOf({ k: { type: 'number' } })] },
      }),
    ],
    ['names beyond a-z', objectOf({ größe: { type: 'string' } })],
    ['eleven levels', nested(10)],
    [
      'over 1,000 enum values',
      objectOf({ a: { enum: Array.from({ length: 1_001 }, (_, i) => `v${i}`) } }),
    ],
  ])('leaves %s to json_object, with the original schema', (_, original) => {
    const { schema, strict } = prepareAnswerSchema(original as Record<string, unknown>);

    expect(strict).toBe(false);
    expect(schema).toEqual(original);
  });

  it('leaves over 5,000 properties to json_object', () => {
    expect(toStrictSchema(objectOf(many(5_000))).problems).toEqual([]);
    expect(toStrictSchema(objectOf(many(5_001))).problems).toEqual(['more than 5000 properties']);
  });

  it('tells the model of a constraint that it drops', () => {
    const { schema } = prepareAnswerSchema(
      objectOf({ a: { type: 'string', description: 'A', minLength: 2 } }),
    );

    expect(schema).toMatchObject({
      properties: { a: { description: 'A\nConstraints: {"minLength":2}' } },
    });
  });
});

describe('an answer', () => {
  it('loses the nulls of optional properties, and keeps those that the original allows', () => {
    const schema = objectOf(
      {
        a: { type: 'string' },
        b: { type: ['string', 'null'] },
        list: { type: 'array', items: objectOf({ c: { type: 'number' } }) },
      },
      { required: ['list'] },
    );

    expect(read(schema, { a: null, b: null, list: [{ c: null }, { c: 1 }] })).toEqual({
      b: null,
      list: [{}, { c: 1 }],
    });
  });

  it('loses them in the alternative that it is valid for', () => {
    const schema = objectOf({
      pet: {
        anyOf: [
          objectOf({ kind: { const: 'cat' }, lives: { type: 'integer' } }, { required: ['kind'] }),
          objectOf(
            { kind: { const: 'dog' }, lives: { type: ['integer', 'null'] } },
            { required: ['kind'] },
          ),
        ],
      },
    });

    expect(read(schema, { pet: { kind: 'cat', lives: null } })).toEqual({ pet: { kind: 'cat' } });
    expect(read(schema, { pet: { kind: 'dog', lives: null } })).toEqual({
      pet: { kind: 'dog', lives: null },
    });
  });

  it('loses them through recursion, in fewer steps than there are ways through it', () => {
    const node = (kind: string) =>
      objectOf(
        { kind: { const: kind }, next: { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }] } },
        { required: ['kind'] },
      );
    const schema = objectOf(
      { list: { $ref: '#/$defs/b' } },
      { $defs: { a: node('a'), b: node('b') } },
    );
    let list: object = { kind: 'b', next: null };
    let expected: object = { kind: 'b' };
    for (let depth = 0; depth < 60; depth += 1) {
      list = { kind: 'b', next: list };
      expected = { kind: 'b', next: expected };
    }

    expect(ending(() => prepareAnswerSchema(schema)).strict).toBe(true);
    // An answer whose check takes long is refused.
    expect(read(schema, { list })).toEqual({ list: expected });
  });

  it('must keep what was dropped from the sent schema', () => {
    const schema = objectOf({
      a: { type: 'array', items: { type: 'string', minLength: 2 }, uniqueItems: true },
    });

    expect(() => read(schema, { a: ['xx', 'x'] })).toThrow(
      'a/1 must NOT have fewer than 2 characters',
    );
    expect(() => read(schema, { a: ['xx', 'xx'] })).toThrow('must NOT have duplicate items');
  });

  it('must be valid for exactly one of open alternatives, though the closed ones that are sent exclude each other', () => {
    const schema = objectOf({
      a: {
        oneOf: [
          objectOf({ x: { type: 'integer' } }),
          objectOf({ y: { type: 'integer' } }, { required: ['y'] }),
        ],
      },
    });

    expect(read(schema, { a: { x: 1 } })).toEqual({ a: { x: 1 } });
    expect(() => read(schema, { a: { y: 1 } })).toThrow(InvalidOutput);
  });

  it('loses keys that the schema does not name, unless that says something of others', () => {
    const a = { type: 'string' };

    expect(read(objectOf({ a }), { b: 1 })).toEqual({});
    expect(() => read(objectOf({ a }, { additionalProperties: false }), { b: 1 })).toThrow(
      'the key "b"',
    );
    expect(
      read(objectOf({ a: { type: 'string' } }, { additionalProperties: true }), { b: 1 }),
    ).toEqual({ b: 1 });
  });

  it('is refused with five faults at most, in at most 1,000 characters', () => {
    const schema = objectOf({ a: { type: 'array', items: { enum: ['x'.repeat(300)] } } });

    expect(() => read(schema, { a: Array(100).fill(1) })).toThrow(/^.{900,1001}$/s);
  });
});

it('a prepared schema is kept by its text, until a million characters of others come', () => {
  /** Of 90,000 characters, and little to prepare. */
  const schema = (number: number) =>
    objectOf({ a: { type: 'string' } }, { description: `${number} ${'x'.repeat(90_000)}` });

  const first = prepareAnswerSchema(schema(0));
  const again = prepareAnswerSchema(schema(0));
  for (let number = 1; number <= 11; number += 1) prepareAnswerSchema(schema(number));
  const later = prepareAnswerSchema(schema(0));

  expect(again).toBe(first);
  expect(later).not.toBe(first);
});
