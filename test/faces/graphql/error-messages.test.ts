/** Messages of items that failed: short, because each failed row has one. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, refusal, type StubProvider } from '../../support/stub-provider.ts';
import { type Data, submitMutation, untilEnded } from './support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp());
});
beforeEach(() => {
  stub.requests.length = 0;
});
afterAll(() => app.stop());

/** 77 names that are 1,922 characters as a list. */
const names = Array.from({ length: 77 }, (_, at) => `category number ${at + 1}`.padEnd(21, '!'));

async function errorOf(operation: object): Promise<Data> {
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation, source: { texts: ['A'] } },
  });
  expect(errors).toBeUndefined();
  const id = data?.submitBatch.batch.id;
  await untilEnded(app, id);
  const read = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { errorSummary { message } items { edges { node { error { code message } } } } } }',
    { id },
  );
  const { errorSummary, items } = read.data?.batch ?? {};
  const { error } = items.edges[0].node;
  expect(errorSummary).toEqual([{ message: error.message }]);
  return error;
}

it.each([
  ['label', { label: { categories: names } }, { label: 'x', confidence: 1 }],
  [
    'one of the labels',
    { label: { categories: names, multiLabel: true } },
    { labels: [names[0], 'x'], confidence: 1 },
  ],
])('of %s names some of 77 categories, and the model is told all', async (_, operation, answer) => {
  stub.reply({ body: completion(JSON.stringify(answer)) });

  const { code, message } = await errorOf(operation);

  expect(code).toBe('INVALID_OUTPUT');
  expect(message).toMatch(/must be one of "category number 1!+", .* and 6[789] more$/);
  expect(message.length).toBeLessThanOrEqual(400);
  const repair = stub.requests.at(-1)?.body.messages.at(-1).content;
  for (const name of names) expect(repair).toContain(name);
});

it('of 77 short names counts the 67 that it leaves out', async () => {
  stub.reply({ body: completion('{"label": "x", "confidence": 1}') });
  const categories = names.map((_, at) => `c${at + 1}`);

  const { message } = await errorOf({ label: { categories } });

  expect(message).toBe(
    'The model\'s answer is not valid: label must be one of "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10" and 67 more',
  );
});

it('of an enum is cut alike', async () => {
  stub.reply({ body: completion('{"kind": "x"}') });
  const kind = { enum: names.map((_, at) => `c${at + 1}`) };
  const schema = { type: 'object', properties: { kind }, required: ['kind'] };

  const { message } = await errorOf({ extract: { schema } });

  expect(message).toBe(
    'The model\'s answer is not valid: kind must be one of "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10" and 67 more',
  );
  const repair = stub.requests.at(-1)?.body.messages.at(-1).content;
  for (const name of kind.enum) expect(repair).toContain(`"${name}"`);
});

it('of a provider has at most 400 characters', async () => {
  stub.reply(refusal(400, { message: `${'😀 '.repeat(400)}`, param: 'messages' }));

  const { code, message } = await errorOf({ label: { categories: ['a', 'b'] } });

  expect(code).toBe('INVALID_REQUEST');
  expect(message.length).toBeLessThanOrEqual(400);
  expect(message).toMatch(/…$/);
  expect(message.isWellFormed()).toBe(true);
});
