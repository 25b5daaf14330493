import { expect, onTestFinished, test } from 'vitest';
import { strictSchemaFault } from '../../src/sandbox/wire/strict-schema.ts';
import { type ErrorAnswer, labelRequest, openSandbox, post } from './requests.ts';

const object = (properties: Record<string, unknown>, rest: object = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...rest,
});
const text = { type: 'string' };

test.each([
  ['an array at the root', { type: 'array', items: text }, /got 'type: "array"'/],
  ['no type at the root', {}, /got 'type: "null"'/],
  [
    'an open object',
    object({ a: text }, { additionalProperties: true }),
    /'additionalProperties' is required/,
  ],
  [
    'an open object below',
    object({ a: { type: 'object', properties: {} } }),
    /'properties', 'a'\), 'additionalProperties'/,
  ],
  ['an optional property', object({ a: text, b: text }, { required: ['a'] }), /Missing 'b'/],
  ['required without a property', object({ a: text }, { required: ['a', 'b'] }), /names 'b'/],
  ['a property without a type', object({ a: {} }), /must have a 'type' key/],
  ['an array without items', object({ a: { type: 'array' } }), /missing items/],
  ['oneOf', object({ a: { oneOf: [text] } }), /'oneOf' is not permitted/],
  ['a default', object({ a: { type: 'string', default: '' } }), /'default' is not permitted/],
  ['an empty enum', object({ a: { type: 'string', enum: [] } }), /non-empty/],
  [
    'an open object in $defs',
    object({ a: { $ref: '#/$defs/x' } }, { $defs: { x: { type: 'object' } } }),
    /'\$defs', 'x'/,
  ],
  [
    '1,001 enum values',
    object({ a: { enum: Array.from({ length: 1_001 }, (_, i) => `${i}`) } }),
    /1001 enum values/,
  ],
  [
    'a long enum',
    object({ a: { enum: Array.from({ length: 251 }, (_, i) => `${i}`.padStart(60, 'x')) } }),
    /limit is 15000/,
  ],
])('%s is no strict schema', (_, schema, fault) => {
  expect(strictSchemaFault(schema)).toMatch(fault);
});

test.each([
  ['nested objects and arrays', object({ a: { type: 'array', items: object({ b: text }) } })],
  [
    'nullable properties',
    object({ a: { type: ['string', 'null'] }, b: { anyOf: [text, { type: 'null' }] } }),
  ],
  ['recursion', object({ a: { $ref: '#' } })],
  [
    'limits',
    object({
      a: { type: 'number', minimum: 0 },
      b: { type: 'string', pattern: '^a', format: 'date' },
    }),
  ],
  ['500 short categories', object({ a: { enum: Array.from({ length: 500 }, (_, i) => `c${i}`) } })],
])('%s is a strict schema', (_, schema) => {
  expect(strictSchemaFault(schema)).toBeNull();
});

test('a broken strict schema is 400 invalid_json_schema, each time anew; without strict it is taken', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const request = (strict: boolean) => ({
    ...labelRequest('hi'),
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'answer', strict, schema: { type: 'object', properties: { a: text } } },
    },
  });

  for (const _ of [1, 2]) {
    const response = await post(sandbox, request(true));
    expect(response.status).toBe(400);
    expect(((await response.json()) as ErrorAnswer).error).toMatchObject({
      param: 'response_format',
      code: 'invalid_json_schema',
      message: expect.stringMatching(
        /^Invalid schema for response_format 'answer': In context=\(\)/,
      ),
    });
  }
  expect((await post(sandbox, request(false))).status).toBe(200);
});
