/**
 * Examples go out in the form that items have, and are held to the schema before anything is paid
 * for.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuesOf, type Sending, startSending } from './sent.ts';
import { type Data, untilEnded } from './support.ts';

const given = JSON.parse(
  readFileSync(new URL('../../cases/examples.request.json', import.meta.url), 'utf8'),
) as { operation: string; options: Data; item: { content: string; metadata: Data } };

let sending: Sending;
beforeAll(async () => {
  sending = await startSending();
});
afterAll(() => sending.close());

/** The messages behind the system message. */
const turns = (): Data[] => sending.bodies()[0]?.messages.slice(1);

const expectedTurns = [
  { role: 'user', content: 'Tier gold. Text: Acme grew.' },
  { role: 'assistant', content: '{"company":"Acme"}' },
  { role: 'user', content: 'Tier silver. Text: Globex shrank.' },
];

describe('an example with metadata under a template', () => {
  it.each(['run', 'batch'] as const)('is rendered by it (%s)', async (way) => {
    sending.answer({ company: 'Globex' });

    if (way === 'run') await sending.run(given.operation, [given.item], given.options);
    else await sending.batch(given.operation, { items: [given.item] }, given.options);

    expect(turns()).toEqual(expectedTurns);
  });

  it('is rendered by it when it comes with a form', async () => {
    sending.answer({ company: 'Globex' });
    const { schema, userPromptTemplate, examples } = given.options;
    const form = new FormData();
    form.set('operation', 'extract');
    form.set('schema', JSON.stringify(schema));
    form.set('user_prompt_template', userPromptTemplate);
    form.set('examples', JSON.stringify(examples));
    form.set('file', new Blob(['text,tier\nGlobex shrank.,silver\n']), 'rows.csv');

    const response = await fetch(`${sending.app.url}/files`, { method: 'POST', body: form });
    const { batchId } = (await response.json()) as { batchId: string };
    await untilEnded(sending.app, batchId);

    expect(turns()).toEqual(expectedTurns);
  });

  it('has its text where the template names the column that items have theirs in', async () => {
    sending.answer({ company: 'Globex' });
    const form = new FormData();
    form.set('operation', 'extract');
    form.set('schema', '{"company": "string"}');
    form.set('contentField', 'body');
    form.set('userPromptTemplate', 'Tier {tier}. Text: {body}');
    form.set('examples', JSON.stringify(given.options.examples));
    form.set('file', new Blob(['body,tier\nGlobex shrank.,silver\n']), 'rows.csv');

    const response = await fetch(`${sending.app.url}/files`, { method: 'POST', body: form });
    const { batchId } = (await response.json()) as { batchId: string };
    await untilEnded(sending.app, batchId);

    expect(turns()).toEqual(expectedTurns);
  });

  it('of label is rendered by it as well', async () => {
    sending.answer({ label: 'up', confidence: 1 });

    await sending.run('label', [given.item], {
      categories: ['up', 'down'],
      userPromptTemplate: given.options.userPromptTemplate,
      examples: [{ content: 'Acme grew.', metadata: { tier: 'gold' }, labels: ['up'] }],
    });

    expect(turns()).toEqual([
      expectedTurns[0],
      { role: 'assistant', content: '{"label":"up"}' },
      expectedTurns[2],
    ]);
  });
});

it('an example of enrich is shown with its context, under the keys that the model writes', async () => {
  sending.answer({ field_1: 'Tech', size: null });

  await sending.run('enrich', [given.item], {
    fields: [{ name: 'Größe €' }, { name: 'size', type: 'NUMERIC' }],
    includeContext: true,
    examples: [
      {
        content: 'Acme grew.',
        metadata: { tier: 'gold' },
        output: { size: 3, 'Größe €': 'groß' },
      },
    ],
  });

  expect(turns()).toEqual([
    { role: 'user', content: 'Context: {"tier":"gold"}\n\nAcme grew.' },
    { role: 'assistant', content: '{"field_1":"groß","size":3}' },
    { role: 'user', content: 'Context: {"tier":"silver"}\n\nGlobex shrank.' },
  ]);
});

describe('an example that would not be an answer, or not be shown as the items are,', () => {
  const content = 'Acme grew.';
  const example = { content, output: { company: 'Acme' } };

  it.each([
    [
      'extract',
      { schema: { company: 'string' }, examples: [example, { content, output: { firm: 'Acme' } }] },
      [/^options\.examples\.1\.output: must be a valid answer: .*"company"/],
    ],
    [
      'extract',
      { schema: { year: 'integer' }, examples: [{ content, output: { year: '2020' } }] },
      [/^options\.examples\.0\.output: .*year must be integer or null/],
    ],
    [
      'enrich',
      {
        fields: [{ name: 'sector ü', validValues: ['Tech'] }],
        examples: [
          { content, output: { 'sector ü': 'Food' } },
          { content, output: {} },
        ],
      },
      [
        /^options\.examples\.0\.output: .*sector ü must be .*"Tech"/,
        /^options\.examples\.1\.output: .*must have the key "sector ü"/,
      ],
    ],
    [
      'extract',
      {
        schema: { company: 'string' },
        userPromptTemplate: '{content} {tier}',
        examples: [example],
      },
      [/^options\.examples\.0\.metadata: .*"tier"/],
    ],
    [
      'label',
      {
        categories: ['a', 'b'],
        userPromptTemplate: '{content} {tier}',
        examples: [{ content, labels: ['a'] }],
      },
      [/^options\.examples\.0\.metadata: .*"tier"/],
    ],
    [
      'extract',
      {
        schema: { company: 'string' },
        referenceDate: '{tier}',
        examples: [{ ...example, metadata: { tier: 'gold' } }],
      },
      [/^options\.examples\.0\.metadata: .*YYYY-MM-DD/],
    ],
    [
      'extract',
      { schema: { company: 'string' }, examples: Array(101).fill(example) },
      [/^options\.examples: must have at most 100 examples/],
    ],
    [
      'extract',
      {
        schema: { company: 'string' },
        userPromptTemplate: '{content}'.repeat(7),
        examples: Array(6).fill({ ...example, content: 'x'.repeat(1_000_000) }),
      },
      Array.from(
        { length: 4 },
        (_, index) => new RegExp(`^options\\.examples\\.${index + 2}\\.metadata: .*characters`),
      ),
    ],
  ])('of %s is refused at submit, by its place (%#)', async (operation, options, expected) => {
    sending.answer('{}');

    const issues = issuesOf(await sending.run(operation, [given.item], options));

    expect(issues).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
    expect(sending.bodies()).toEqual([]);
  });
});
