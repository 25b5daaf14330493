/**
 * Answers that are right but for their form are set right, and cost no second request; what may
 * mean something else is asked again.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import type { StubProvider } from '../../support/stub-provider.ts';
import { objectOf, readCase, runCase } from './case-support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp());
});
afterAll(() => app.stop());

type Schema = Record<string, any>;

async function ask(operation: string, options: Schema, answer: unknown) {
  const given = { operation, options, item: 'x', answers: [JSON.stringify(answer)] };
  return await runCase(app, stub, given);
}

it('numbers, true and a further key as the model wrote them are taken', async () => {
  const { result, requests } = await runCase(app, stub, readCase('numbers-as-text.answer.json'));

  expect(result).toEqual({
    data: { company: 'Acme', revenue: 1500000.5, year: 2024, listed: true },
    error: null,
  });
  expect(requests).toBe(1);
});

it.each([
  ['prices.answer.json', { price: 19.99 }],
  ['local-times.answer.json', { starts_at: '2026-03-01T15:00:00', opens: '15:00:00' }],
])('%s is taken as it is', async (name, data) => {
  const { result, requests } = await runCase(app, stub, readCase(name));

  expect(result).toEqual({ data, error: null });
  expect(requests).toBe(1);
});

it.each([
  ['a further key', { a: { type: 'string' } }, { a: 'x', b: 1 }, { a: 'x' }],
  [
    'a further key inside',
    { a: { type: 'array', items: objectOf({ n: { type: 'integer' } }) } },
    { a: [{ n: '7', why: 'so' }] },
    { a: [{ n: 7 }] },
  ],
  ['a whole number as text', { a: { type: 'integer' } }, { a: ' 12 ' }, { a: 12 }],
  ['a number as text', { a: { type: ['number', 'null'] } }, { a: '-1.5e3' }, { a: -1500 }],
  ['true as text', { a: { type: 'boolean' } }, { a: 'True' }, { a: true }],
  ['a number for text', { a: { type: 'string' } }, { a: 7.5 }, { a: '7.5' }],
  ['a number for one of texts', { a: { enum: ['2023', '2024'] } }, { a: 2024 }, { a: '2024' }],
  ['a value in other letters', { a: { enum: ['Won', 'Lost'] } }, { a: 'won.' }, { a: 'Won' }],
  [
    'a number as text in an alternative',
    { a: { anyOf: [{ type: 'integer' }, { type: 'null' }] } },
    { a: '3' },
    { a: 3 },
  ],
  [
    'the alternative that fits',
    {
      a: {
        anyOf: [
          objectOf({ cat: { const: true }, lives: { type: 'integer' } }),
          objectOf({ dog: { const: true }, age: { type: 'integer' } }),
        ],
      },
    },
    { a: { dog: true, age: '4', note: 'x' } },
    { a: { dog: true, age: 4 } },
  ],
])('%s is set right', async (_what, properties, answer, data) => {
  const { result, requests } = await ask('extract', { schema: objectOf(properties) }, answer);

  expect(result).toEqual({ data, error: null });
  expect(requests).toBe(1);
});

it.each([
  ['a word', { a: { type: 'integer' } }, { a: 'many' }],
  ['a number with words', { a: { type: 'integer' } }, { a: '12 pieces' }],
  ['a number with separators', { a: { type: 'number' } }, { a: '1,500' }],
  ['no whole number', { a: { type: 'integer' } }, { a: '1.5' }],
  ['yes', { a: { type: 'boolean' } }, { a: 'yes' }],
  ['true for text', { a: { type: 'string' } }, { a: true }],
  ['a value that fits two', { a: { enum: ['a b', 'a-b'] } }, { a: 'A_B' }],
])('%s is asked again', async (_what, properties, answer) => {
  const { result, requests } = await ask('extract', { schema: objectOf(properties) }, answer);

  expect(result.error.code).toBe('INVALID_OUTPUT');
  expect(requests).toBe(3);
});

it('a whole number as text that JavaScript would change fails at once: asking again would bring the same', async () => {
  const schema = objectOf({ a: { type: 'integer' } });

  const { result, requests } = await ask('extract', { schema }, { a: '9007199254740993' });

  expect(result.error.code).toBe('INVALID_OUTPUT');
  expect(result.error.message).toContain('write it as a string');
  expect(requests).toBe(1);
});

it('a further key is refused where the user has closed the object', async () => {
  const schema = objectOf({ a: { type: 'string' } }, { additionalProperties: false });

  const { result, requests } = await ask('extract', { schema }, { a: 'x', b: 1 });

  expect(result.error.message).toContain('must not have the key "b"');
  expect(requests).toBe(3);
});

it('what is valid is left as it is', async () => {
  const a = { anyOf: [{ type: 'number' }, { type: 'string' }] };

  const { result } = await ask('extract', { schema: objectOf({ a }) }, { a: '5' });

  expect(result.data).toEqual({ a: '5' });
});

it.each([
  ['enrich', { fields: [{ name: 'a', type: 'NUMERIC' }, { name: 'b' }] }],
  [
    'run',
    {
      instructions: 'x',
      responseFormat: { type: 'JSON_SCHEMA', schema: { a: 'number', b: 'string' } },
    },
  ],
  ['summarize', { responseFormat: { type: 'JSON_SCHEMA', schema: { a: 'number', b: 'string' } } }],
])('%s takes them, too', async (operation, options) => {
  const { result, requests } = await ask(operation, options, { a: '12', b: 5, c: 1 });

  expect(result).toMatchObject({ data: { a: 12, b: '5' }, error: null });
  expect(requests).toBe(1);
});

describe('parseResults', () => {
  it('takes results that another library parsed', async () => {
    const form = new FormData();
    const lines = readFileSync(new URL('../../cases/results-mixed.jsonl', import.meta.url));
    form.set('file', new Blob([lines]), 'results-mixed.jsonl');
    const uploaded = await fetch(`${app.url}/files`, { method: 'POST', body: form });
    const { id } = (await uploaded.json()) as { id: string };

    const { data } = await app.graphql(
      `query($id: ID!, $schema: JSONObject) {
        parseResults(fileId: $id, responseSchema: $schema) { edges { node { customId status output } } }
      }`,
      { id, schema: objectOf({ order_id: { type: 'integer' } }) },
    );

    const nodes = data?.parseResults.edges.map((edge: { node: object }) => edge.node);
    expect(nodes).toContainEqual({
      customId: 'extra-key',
      status: 'SUCCEEDED',
      output: { order_id: 30 },
    });
  });
});

it('of the prices up to 99.99 none is refused, and 19.995 is', async () => {
  const price = { type: 'array', items: { type: 'number', multipleOf: 0.01 } };
  const prices = Array.from({ length: 10_000 }, (_, cents) => Number((cents / 100).toFixed(2)));

  const all = await ask('extract', { schema: objectOf({ price }) }, { price: prices });
  const large = await ask(
    'extract',
    { schema: objectOf({ price }) },
    { price: [1e9 + 0.07, 1e12] },
  );
  const between = await ask('extract', { schema: objectOf({ price }) }, { price: [19.995] });

  expect(all.result.data.price).toEqual(prices);
  expect(large.result.error).toBeNull();
  expect(between.result.error.message).toContain('price/0 must be multiple of 0.01');
});

it('times are held to the clock, and sent so that no zone is asked for', async () => {
  const schema = objectOf({ a: { type: 'string', format: 'time' } });

  const late = await ask('extract', { schema }, { a: '25:00:00' });
  const zoned = await ask('extract', { schema }, { a: '15:00:00+02:00' });

  const sent = stub.requests[0]?.body.response_format.json_schema.schema.properties.a;
  expect(late.result.error.code).toBe('INVALID_OUTPUT');
  expect(zoned.result.data).toEqual({ a: '15:00:00+02:00' });
  expect(sent).not.toHaveProperty('format');
  expect(sent.description).toContain('with its zone only where that is known');
  expect('15:00:00').toMatch(new RegExp(sent.pattern, 'u'));
});
