/** What one request may ask for: told with what would be right, and wide enough for what people ask. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { submitTexts, subscribe } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

it('fifty items of 100 kB are answered at once', async () => {
  const items = Array.from({ length: 50 }, (_, index) => ({
    content: `good ${index} ${'x'.repeat(100_000)}`,
  }));

  const { data, errors } = await app.graphql(
    `mutation($items: [ItemInput!]!) {
       label(items: $items, options: {categories: ["good", "bad"]}) { results { label error { code } } } }`,
    { items },
  );

  expect(errors).toBeUndefined();
  expect(data?.label.results).toEqual(Array(50).fill({ label: 'good', error: null }));
});

it('a subscription that costs more than a query may is refused when it starts', async () => {
  const id = await submitTexts(app, ['good'], { autoStart: false });
  const fields = Array.from({ length: 301 }, (_, at) => `f${at}: content`).join(' ');

  const events = subscribe(
    app.socket(),
    `subscription($id: ID!) { batchProgress(id: $id) { items(first: 1000) { edges { node { ${fields} } } } } }`,
    { id },
  );
  await events.ended();

  expect(events.all).toEqual([]);
  expect(events.errors.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^batchProgress: the query costs \d+, 250000 are allowed/),
  ]);
});

it('a query of too many words says that values go into variables', async () => {
  const { errors } = await app.graphql(
    `mutation { label(items: [${'{content: "a"} '.repeat(6_000)}], options: {categories: ["a", "b"]}) { model } }`,
  );

  expect(errors?.[0]?.extensions).toEqual({
    code: 'BAD_USER_INPUT',
    issues: [
      {
        path: 'query',
        message: 'has more than 20,000 words and signs; put values into variables',
      },
    ],
  });
});

it('a name that is quoted in an error is cut, and many errors are counted', async () => {
  const variables = Array.from({ length: 100 }, (_, at) => `$${'v'.repeat(900)}${at}: Int`);

  const { errors } = await app.graphql(`query Long(${variables.join(' ')}) { __typename }`);

  const text = JSON.stringify(errors);
  expect(text.length).toBeLessThan(22_000);
  expect(text).toContain(`${'v'.repeat(99)}`);
  expect(text).not.toContain('v'.repeat(101));
});
