/**
 * A systemPrompt of the user's own: the built-in parts in its places, and a model that is not left
 * to choose blind.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { issuesOf, type Sending, startSending } from './sent.ts';
import { type Data, submitMutation } from './support.ts';

const given = JSON.parse(
  readFileSync(new URL('../../cases/own-system-prompt.request.json', import.meta.url), 'utf8'),
) as { operation: string; options: Data; item: string };
const items = [{ content: given.item }];

let sending: Sending;
beforeAll(async () => {
  sending = await startSending();
});
afterAll(() => sending.close());

const systemOf = (body: Data | undefined): string => body?.messages[0].content;

describe('a systemPrompt', () => {
  it.each(['run', 'batch'] as const)('has its parts in their places (%s)', async (way) => {
    sending.answer({ label: 'positive', confidence: 0.9 });

    if (way === 'run') await sending.run(given.operation, items, given.options);
    else await sending.batch(given.operation, { items }, given.options);

    const [body] = sending.bodies();
    expect(body?.messages).toEqual([
      {
        role: 'system',
        content:
          'You are a judge. Choose among:\n- "positive": praise\n- "negative"\nJudge the tone.',
      },
      { role: 'user', content: 'Fine.' },
    ]);
    expect(JSON.stringify(body?.response_format)).not.toMatch(/praise|Judge the tone/);
  });

  it.each([
    [
      'extract',
      { schema: { company: 'string' }, instructions: 'The seller.' },
      { company: null },
      '- "company" (string or null)|The seller.|{categories}',
    ],
    [
      'enrich',
      { fields: [{ name: 'sector', description: 'the main one' }] },
      { sector: null },
      '- "sector" (text or null): the main one|{instructions}|{categories}',
    ],
    [
      'summarize',
      {
        responseFormat: { type: 'JSON_SCHEMA', schema: { topic: 'string' } },
        instructions: 'Be brief.',
      },
      { topic: null },
      '- "topic" (string or null)|Be brief.|{categories}',
    ],
    ['summarize', { instructions: 'Be brief.' }, 'Short.', '|Be brief.|{categories}'],
    ['run', { instructions: 'Translate.' }, 'Bonjour', '|Translate.|{categories}'],
    ['label', { categories: ['a', 'b'] }, { label: 'a' }, '{fields}||- "a"\n- "b"'],
  ])('of %s with %j has them too', async (operation, options, answer, expected) => {
    sending.answer(answer);

    await sending.run(operation, items, {
      ...options,
      systemPrompt: '{fields}|{instructions}|{categories}',
    });

    expect(systemOf(sending.bodies()[0])).toBe(expected);
  });

  it('keeps every other brace, and what is put in is not read again', async () => {
    sending.answer({ label: '{instructions}', confidence: 1 });

    await sending.run('label', items, {
      categories: ['{instructions}', '$&'],
      instructions: 'One.',
      systemPrompt: '{content} {{x}} } { {"a": 1} {Categories} {categories}',
    });

    expect(systemOf(sending.bodies()[0])).toBe(
      '{content} {{x}} } { {"a": 1} {Categories} - "{instructions}"\n- "$&"',
    );
  });
});

it('a systemPrompt that names a long part without end is refused before it is made', async () => {
  sending.answer('Fine.');

  const issues = issuesOf(
    await sending.run('summarize', items, {
      instructions: 'x'.repeat(900_000),
      systemPrompt: '{instructions}'.repeat(50_000),
    }),
  );

  expect(issues).toEqual([
    expect.stringMatching(
      /^options\.systemPrompt: must have at most 8000000 characters with the parts.*, not 45000700000/,
    ),
  ]);
});

describe('a systemPrompt without the parts', () => {
  const systemPrompt = 'You are a judge.';

  it.each([
    ['label', { categories: ['good', 'bad'], categoryDescriptions: { good: 'praise' } }],
    ['extract', { schema: { company: 'string' } }],
    ['enrich', { fields: [{ name: 'sector' }] }],
  ])(
    'of %s has the schema behind it at any server but OpenAI’s own',
    async (operation, options) => {
      sending.answer('{}');

      await sending.run(operation, items, { ...options, systemPrompt });

      const [body] = sending.bodies();
      const { schema } = body?.response_format.json_schema ?? {};
      expect(systemOf(body)).toBe(
        `${systemPrompt}\n\nAnswer with a JSON object that satisfies this JSON Schema: ${JSON.stringify(schema)}`,
      );
    },
  );

  it('and with an answer of any shape is told once that JSON is wanted', async () => {
    sending.answer('{"a": 1}');

    await sending.run('run', items, { systemPrompt, responseFormat: { type: 'JSON_OBJECT' } });

    expect(systemOf(sending.bodies()[0])).toBe(
      'You are a judge.\n\nAnswer with one JSON object and nothing else.',
    );
  });

  it('and with an answer in text is sent as it is', async () => {
    sending.answer('Fine.');

    await sending.run('summarize', items, { systemPrompt });

    expect(systemOf(sending.bodies()[0])).toBe(systemPrompt);
  });
});

describe('at OpenAI’s and Anthropic’s own addresses', () => {
  let app: App;
  beforeAll(async () => {
    // Without a worker, so that nothing is called.
    app = await startApp({
      ROLE: 'api',
      PROVIDERS: '',
      OPENAI_API_KEY: 'sk-0123456789abcdef',
      ANTHROPIC_API_KEY: 'sk-ant-0123456789abcdef',
      DEFAULT_MODEL: 'openai/gpt-4.1-mini',
    });
  });
  afterAll(() => app.stop());

  it.each(['openai/gpt-4.1-mini', 'anthropic/claude-haiku-4-5'])(
    'the systemPrompt goes to %s exactly as it is, since the schema is shown',
    async (model) => {
      const systemPrompt = 'You are a judge.';
      const { data } = await app.graphql(submitMutation, {
        input: {
          operation: { label: { categories: ['good', 'bad'], systemPrompt, model } },
          source: { items },
        },
      });
      const read = await app.graphql(
        'query ($id: ID!) { batch(id: $id) { items { edges { node { request } } } } }',
        { id: data?.submitBatch.batch.id },
      );

      const { request } = read.data?.batch.items.edges[0].node ?? {};
      expect(request.system ?? request.messages[0].content).toBe(systemPrompt);
      expect(JSON.stringify(request)).toContain('"good"');
    },
  );
});
