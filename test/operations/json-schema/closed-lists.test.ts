import { expect, it } from 'vitest';
import { closedLists } from '../../../src/operations/json-schema/closed-lists.ts';

it.each([
  ['an enum', { enum: ['a', 'b', 1] }],
  ['a const', { const: 'a' }],
  ['true or false', { type: 'boolean' }],
  ['true, false or null', { type: ['boolean', 'null'] }],
  ['an enum, or null', { anyOf: [{ enum: ['a'] }, { type: 'null' }] }],
  ['one of two enums', { oneOf: [{ enum: ['a'] }, { const: 'b' }] }],
  ['an enum and more', { allOf: [{ type: 'string' }, { enum: ['a', 'b'] }] }],
  ['a reference to an enum', { $ref: '#/$defs/kind' }],
])('%s is a closed list', (_name, value) => {
  const $defs = { kind: { enum: ['a', 'b'] } };

  expect(closedLists({ type: 'object', properties: { value }, $defs })).toEqual(['value']);
});

it.each([
  ['a text', { type: 'string' }],
  ['a number', { type: 'integer', minimum: 0, maximum: 1 }],
  ['a list of an enum', { type: 'array', items: { enum: ['a'] } }],
  ['an enum, or a text', { anyOf: [{ enum: ['a'] }, { type: 'string' }] }],
  ['whatever', {}],
  ['true', true],
  ['a reference to itself', { $ref: '#/$defs/loop' }],
])('%s is not', (_name, value) => {
  const loop = { allOf: Array.from({ length: 50 }, () => ({ $ref: '#/$defs/loop' })) };

  expect(closedLists({ type: 'object', properties: { value }, $defs: { loop } })).toEqual([]);
});

it('follows a reference to the object itself, and knows no field without properties', () => {
  const $defs = { answer: { type: 'object', properties: { kind: { enum: ['a'] } } } };

  expect(closedLists({ $ref: '#/$defs/answer', $defs })).toEqual(['kind']);
  expect(closedLists({ type: 'object' })).toEqual([]);
});
