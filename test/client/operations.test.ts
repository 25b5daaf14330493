/** The five operations that are answered at once, and what a server has. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BadUserInput, Winnow } from '../../src/client/index.ts';
import { type App, startApp } from '../support/app.ts';

let app: App;
let winnow: Winnow;
beforeAll(async () => {
  app = await startApp({ DEFAULT_MODEL: 'sandbox/rules' });
  winnow = new Winnow({ url: `${app.url}/` });
});
afterAll(() => app.stop());

it('labels texts and items, in order, each with its own id', async () => {
  const { results, usage, model } = await winnow.label(
    ['I love it', { content: 'Worst service ever', customId: 'b', metadata: { stars: 1 } }],
    { categories: ['praise', 'complaint'] },
  );

  expect(model).toBe('sandbox/rules');
  expect(usage.requests).toBe(2);
  expect(results.map(({ customId, label, error }) => [customId, label, error])).toEqual([
    ['0', 'praise', null],
    ['b', 'complaint', null],
  ]);
  expect(results[0]?.confidenceMethod).toBe('logprobs');
});

it('quotes an operation with several models, and a large array without a file that stays', async () => {
  const source = Array.from({ length: 10_001 }, (_, at) => `text ${at % 5_000}`);
  const [small, large] = await Promise.all([
    winnow.quote({
      label: { categories: ['praise', 'complaint'] },
      source: ['I love it', 'I love it'],
      models: ['sandbox/rules', 'test/rules'],
    }),
    winnow.quote({ summarize: {}, source }),
  ]);

  expect(small).toMatchObject({ items: 2, sampledItems: 2, identicalItems: 1, unaskableItems: 0 });
  expect(small.models).toMatchObject([
    { model: 'sandbox/rules', outputBasis: 'fixed', liveUsd: null },
    { model: 'test/rules', outputBasis: 'fixed', providerBatchUsd: null },
  ]);
  expect(large).toMatchObject({ items: 10_001, sampledItems: 2_000, identicalItems: 5_001 });
  expect(large.models[0]?.inputTokens.high).toBeGreaterThan(large.models[0]?.inputTokens.low ?? 0);
  for await (const file of winnow.files.list()) expect(file).toBeNull();
});

it('gives an item its own error', async () => {
  const { results } = await winnow.label([' ', 'I love it'], {
    categories: ['praise', 'complaint'],
  });

  expect(results.map(({ error }) => error?.code ?? null)).toEqual(['EMPTY_CONTENT', null]);
});

it('extracts by the short form', async () => {
  const { results } = await winnow.extract(['Write to ada@example.org by 2026-12-01.'], {
    schema: { email: 'string', date: 'date', year: 'integer?' },
  });

  expect(results[0]?.data).toMatchObject({ email: 'ada@example.org', date: '2026-12-01' });
});

it('summarizes, without options too', async () => {
  const { results } = await winnow.summarize(['A long story. It has an end.']);

  expect(results[0]?.summary).toEqual(expect.any(String));
  expect(results[0]?.data).toBeNull();
});

it('enriches by names, and by fields with a type', async () => {
  const { results } = await winnow.enrich(['Thank you, it is lovely.'], {
    fields: [
      'topic',
      { name: 'tone', type: 'categorical', validValues: ['glad', 'angry'] },
      { name: 'stars', type: 'numeric' },
    ],
  });

  expect(Object.keys(results[0]?.data ?? {})).toEqual(['topic', 'tone', 'stars']);
});

it('runs a task, into an object where a schema is given', async () => {
  const text = await winnow.run(['one'], { instructions: 'Translate into French.' });
  const object = await winnow.run(['one'], {
    instructions: 'Translate.',
    responseFormat: { type: 'json_schema', schema: { french: 'string' } },
  });

  expect(text.results[0]?.text).toEqual(expect.any(String));
  expect(Object.keys(object.results[0]?.data ?? {})).toEqual(['french']);
});

it('lists the models', async () => {
  const models = await winnow.models();

  expect(models.map(({ id }) => id)).toContain('sandbox/rules');
});

it('asks any document, and tells what is wrong with its variables', async () => {
  const document = 'query($id: ID!) { batch(id: $id) { id } service { version } }';
  const data = await winnow.graphql<{ batch: null; service: { version: string } }>(document, {
    id: 'batch_unknown',
  });
  expect(data.service.version).toMatch(/^\d/);

  const failure = await winnow.graphql(document, {}).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(BadUserInput);
});
