/**
 * One document may ask for what every operation's results have: clients' compilers refuse fields of
 * one name and two types.
 */
import { type GraphQLObjectType, isInterfaceType, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../../src/faces/graphql/schema.ts';

const results = schema.getType('ItemResult');
const types: readonly GraphQLObjectType[] = isInterfaceType(results)
  ? [...schema.getPossibleTypes(results)]
  : [];

it('data is JSON wherever a result has it', () => {
  const withData = types.filter((type) => type.getFields().data);

  expect(withData.map(({ name }) => name).sort()).toEqual([
    'ChatResult',
    'EnrichResult',
    'ExtractResult',
    'RunResult',
    'SummarizeResult',
  ]);
  expect(withData.map((type) => String(type.getFields().data?.type))).toEqual(
    Array(5).fill('JSON'),
  );
});

it('asks for every field of every result, and is valid', () => {
  const fragments = types.map((type) => `... on ${type.name} { ${selection(type)} }`).join('\n');
  const document = `query ($id: ID!) {
    batch(id: $id) { items { edges { node { result { ${fragments} } } } } }
  }`;

  expect(types.length).toBeGreaterThanOrEqual(6);
  expect(validate(schema, parse(document)).map(({ message }) => message)).toEqual([]);
});

/** The fields with no fields of their own. */
function selection(type: GraphQLObjectType): string {
  return Object.values(type.getFields())
    .filter((field) => !/Usage|ItemError/.test(String(field.type)))
    .map(({ name }) => name)
    .join(' ');
}
