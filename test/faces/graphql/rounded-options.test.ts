/**
 * Numbers beyond 2^53 in the options of an operation: sent rounded they would teach another number.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';

const digits = '12345678901234567890';
const problem = /must be below 2\^53.*give a string instead/;

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const cases: [operation: string, path: string, options: string][] = [
  ['label', 'extraBody.top', `{"categories":["a","b"],"extraBody":{"top":${digits}}}`],
  [
    'label',
    'examples.0.metadata.id',
    `{"categories":["a","b"],"examples":[{"content":"x","labels":["a"],"metadata":{"id":${digits}}}]}`,
  ],
  [
    'extract',
    'examples.0.output.id',
    `{"schema":{"id":"integer"},"examples":[{"content":"x","output":{"id":${digits}}}]}`,
  ],
  ['extract', 'schema.id.enum.0', `{"schema":{"id":{"enum":[${digits},1]}}}`],
  ['enrich', 'fields.0.examples.0', `{"fields":[{"name":"id","examples":[${digits}]}]}`],
];

describe.each(cases)('%s with a number too large in %s', (operation, path, options) => {
  it('is refused at its place', async () => {
    const type = `${operation.charAt(0).toUpperCase()}${operation.slice(1)}Options!`;
    const query = `mutation($options: ${type}) { ${operation}(items: [{content: "x"}], options: $options) { model } }`;
    const { errors } = await app.graphql(query, { options: JSON.parse(options) });

    expect(errors?.[0]?.extensions?.issues).toEqual([
      { path: `options.${path}`, message: expect.stringMatching(problem) },
    ]);
  });

  it('is refused in a form, where no batch is made', async () => {
    const form = new FormData();
    form.append('operation', operation);
    form.append('options', options);
    form.append('file', new Blob(['text\na\n']), 'x.csv');
    const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
    const { error } = (await response.json()) as { error: { issues: unknown[] } };

    expect(response.status).toBe(400);
    expect(error.issues).toEqual([{ path, message: expect.stringMatching(problem) }]);
  });
});

it('the bounds of 64-bit integers stay good', async () => {
  const { data, errors } = await app.graphql(
    'mutation($options: ExtractOptions!) { extract(items: [{content: "x"}], options: $options) { model } }',
    { options: { schema: { n: { type: 'integer', maximum: 2 ** 63, minimum: -(2 ** 63) } } } },
  );

  expect(errors).toBeUndefined();
  expect(data?.extract.model).toMatch(/rules$/);
});
