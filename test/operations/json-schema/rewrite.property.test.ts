import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { InvalidOutput } from '../../../src/core/errors.ts';
import { createCheckTime } from '../../../src/operations/check-time.ts';
import {
  answerSchemaIssues,
  prepareAnswerSchema,
} from '../../../src/operations/json-schema/answer-schema.ts';
import { runsOf } from '../../support/random.ts';
import { strictBreaches } from '../../support/strict-schema.ts';

type Schema = Record<string, unknown>;

const name = fc.constantFrom('a', 'b', 'c', 'constructor', 'to-String', 'größe');
const annotations = fc.constantFrom({}, {}, { description: 'd' }, { title: 't', default: 1 });
const scalar = fc.oneof(
  fc.constantFrom<Schema>(
    { type: 'string' },
    { type: 'string', minLength: 2 },
    { type: 'string', format: 'date' },
    { type: ['string', 'null'] },
    { type: ['integer', 'string', 'null'] },
    { type: 'integer', minimum: 0, maximum: 5 },
    { type: 'boolean' },
    { enum: ['x', 'y', null, 1] },
    { const: 'k' },
    { type: 'string', not: { const: 'x' } },
    { $ref: '#/$defs/node' },
    { $ref: '#' },
    {},
  ),
);

const { schema: arbitrarySchema } = fc.letrec<{ schema: Schema; object: Schema; node: Schema }>(
  (tie) => ({
    schema: fc.oneof({ depthSize: 'small', withCrossShrink: true }, scalar, tie('object')),
    object: fc
      .record({
        properties: fc.dictionary(name, tie('node'), { minKeys: 1, maxKeys: 4 }),
        required: fc.subarray(['a', 'b', 'c']),
        rest: fc.constantFrom(
          {},
          {},
          {},
          { additionalProperties: false },
          { additionalProperties: true },
        ),
        type: fc.constantFrom<unknown>('object', ['object', 'null']),
        annotations,
      })
      .map(({ properties, required, rest, type, annotations: extra }) => ({
        type,
        properties,
        required: required.filter((key) => Object.hasOwn(properties, key)),
        ...rest,
        ...extra,
      })),
    node: fc.oneof(
      { depthSize: 'small' },
      scalar,
      tie('object'),
      fc.record({ type: fc.constant('array'), items: tie('node'), maxItems: fc.constant(3) }),
      fc.record({ anyOf: fc.array(tie('node'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ oneOf: fc.array(tie('node'), { minLength: 1, maxLength: 2 }) }),
    ),
  }),
);

const rootSchema = fc
  .tuple(fc.dictionary(name, arbitrarySchema, { minKeys: 1, maxKeys: 4 }), fc.subarray(['a', 'b']))
  .map(
    ([properties, required]): Schema => ({
      type: 'object',
      properties,
      required: required.filter((key) => Object.hasOwn(properties, key)),
      $defs: {
        node: {
          type: 'object',
          properties: { next: { $ref: '#/$defs/node' }, v: { type: 'integer' } },
        },
      },
    }),
  );

/** Answers that a server which is held to the strict schema could give. */
function answers(root: Schema, schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  if (typeof schema.$ref === 'string') {
    const target = schema.$ref === '#' ? root : (root.$defs as { node: Schema }).node;
    return depth > 6 ? fc.constant(null) : answers(root, target, depth + 1);
  }
  if (Array.isArray(schema.anyOf)) {
    const branches: Schema[] = schema.anyOf;
    const ends = branches.filter(({ type }) => type === 'null');
    const usable = depth > 4 && ends.length > 0 ? ends : branches;
    return fc.oneof(...usable.map((branch) => answers(root, branch, depth + 1)));
  }
  if (Array.isArray(schema.enum)) {
    return fc.constantFrom(...schema.enum);
  }
  return fc.oneof(...[schema.type].flat().map((type) => typed(root, schema, type, depth)));
}

function typed(root: Schema, schema: Schema, type: unknown, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object': {
      const entries = Object.entries(schema.properties as Record<string, Schema>);
      return fc.record(
        Object.fromEntries(entries.map(([key, child]) => [key, answers(root, child, depth + 1)])),
      );
    }
    case 'array':
      return fc.array(answers(root, schema.items as Schema, depth + 1), { maxLength: 3 });
    case 'string':
      return schema.format === 'date' ? fc.constant('2024-02-29') : fc.string({ maxLength: 3 });
    case 'integer':
      return fc.integer({ min: 0, max: 5 });
    case 'boolean':
      return fc.boolean();
    default:
      return fc.constant(null);
  }
}

it('every strict schema is one, and every answer to it is valid against the original or refused', () => {
  let strictCount = 0;
  let readCount = 0;

  fc.assert(
    fc.property(rootSchema, fc.infiniteStream(fc.nat()), (original, seeds) => {
      expect(answerSchemaIssues(original)).toEqual([]);
      const { schema, strict, read } = prepareAnswerSchema(original);
      if (!strict) {
        return;
      }
      strictCount += 1;
      expect(strictBreaches(schema)).toEqual([]);

      const ajv = new Ajv2020({
        strict: false,
        allErrors: true,
        ownProperties: true,
        code: { optimize: false },
      });
      formats.default(ajv);
      const isValid = ajv.compile(original);
      const loose = /minLength|oneOf/.test(JSON.stringify(original));
      for (const answer of fc.sample(answers(schema, schema), {
        numRuns: 5,
        seed: seeds.next().value,
      })) {
        const isAnswer = ajv.compile(schema);
        if (!isAnswer(answer)) {
          continue; // the generator gave up on a recursion
        }
        try {
          expect(isValid(read(JSON.stringify(answer), { time: createCheckTime() }))).toBe(true);
          readCount += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidOutput);
          // Only what the subset cannot say may be refused: a length, or exactly one of several.
          expect({ loose, answer, message: String(error) }).toMatchObject({ loose: true });
        }
      }
    }),
    runsOf(200),
  );

  expect(strictCount).toBeGreaterThan(30);
  expect(readCount).toBeGreaterThan(100);
});
