/**
 * Prompts as they are sent: nothing in one contradicts another part of it, and what is wrong with
 * an answer is said once.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completion } from '../../support/stub-provider.ts';
import { type Sending, startSending } from './sent.ts';
import type { Data } from './support.ts';

const items = [{ content: 'Acme grew.' }];

let sending: Sending;
beforeAll(async () => {
  sending = await startSending();
});
afterAll(() => sending.close());

/** The system message that is sent. */
async function systemFor(operation: string, options: object): Promise<string> {
  sending.answer('{}');
  await sending.run(operation, items, options);
  return sending.bodies()[0]?.messages[0].content;
}

/** What the model is told about each answer but the last. */
async function complaints(
  operation: string,
  options: object,
  ...answers: unknown[]
): Promise<string[]> {
  sending.answer('');
  const replies = answers.map((answer) => ({
    body: completion(typeof answer === 'string' ? answer : JSON.stringify(answer)),
  }));
  sending.stub.reply(...replies);
  await sending.run(operation, items, options);
  return sending
    .bodies()
    .slice(1)
    .map(({ messages }: Data) => messages.at(-1).content);
}

describe('a field', () => {
  const fieldsOf = (system: string) => system.split('Fields:\n')[1]?.split('\n\n')[0]?.split('\n');

  it('that takes null says so, and one that does not is told what to write', async () => {
    const schema = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        nick: { type: ['string', 'null'] },
        size: { anyOf: [{ enum: ['S', 'L'] }, { type: 'null' }] },
        note: { $ref: '#/$defs/note' },
        year: { type: 'integer' },
        employees: { type: 'integer', minimum: 1 },
        listed: { type: 'boolean' },
        kind: { enum: ['public', 'private'] },
        founded: { type: 'string', format: 'date' },
        tags: { type: 'array', items: { type: 'string' } },
        owners: { type: ['array', 'null'], items: { $ref: '#/$defs/note' } },
      },
      required: [
        'name',
        'nick',
        'size',
        'note',
        'employees',
        'listed',
        'kind',
        'founded',
        'tags',
        'owners',
      ],
      additionalProperties: false,
      $defs: { note: { anyOf: [{ type: 'string' }, { type: 'null' }] } },
    };

    const system = await systemFor('extract', { schema });

    expect(fieldsOf(system)).toEqual([
      '- "name" (string, "" if there is none)',
      '- "nick" (string or null)',
      '- "size" (one of "S", "L" or null)',
      '- "note" (string or null)',
      '- "year" (integer or null)',
      '- "employees" (integer, the likeliest if there is none)',
      '- "listed" (boolean, false if there is none)',
      '- "kind" (one of "public", "private", the nearest if none fits)',
      '- "founded" (date, the likeliest if there is none)',
      '- "tags" (list of string)',
      '- "owners" (list of string or null)',
    ]);
    expect(system).toContain(
      'Where the text does not state a value, write null if the field takes null, [] for any other list, else what its line says.',
    );
  });

  it('of a schema that cannot be strict may be left out where the schema says so', async () => {
    const schema = {
      type: 'object',
      properties: { year: { type: 'integer' } },
      additionalProperties: { type: 'number' },
    };

    const system = await systemFor('extract', { schema });

    expect(fieldsOf(system)).toEqual(['- "year" (integer, left out if there is none)']);
    expect(system).toContain('Answer with one JSON object that has the fields below.');
    expect(system).not.toContain('exactly the fields');
  });

  it('has its examples in a sentence of their own', async () => {
    const fields = [
      { name: 'revenue', type: 'NUMERIC', description: 'in millions', examples: [25, 3.5] },
      { name: 'margin', type: 'NUMERIC', description: 'As a share.', examples: [0.1] },
    ];

    expect(fieldsOf(await systemFor('enrich', { fields }))).toEqual([
      '- "revenue" (number or null): in millions. Examples: 25, 3.5',
      '- "margin" (number or null): As a share. Examples: 0.1',
    ]);
  });

  it.each([
    [
      'extract',
      { schema: { revenue: 'number' } },
      "A field's own description goes before these rules",
    ],
    [
      'enrich',
      { fields: [{ name: 'revenue', type: 'NUMERIC' }] },
      'What a field itself says goes before',
    ],
  ])(
    'of %s goes before the general rules with what it says itself',
    async (operation, options, rule) => {
      expect(await systemFor(operation, options)).toContain(rule);
    },
  );
});

it('a schema that names no fields is not asked for by names in instructions that there are not', async () => {
  const schema = { type: 'object', additionalProperties: { type: 'number' } };

  const system = await systemFor('extract', { schema });

  expect(system).toContain('Where the text does not state a value, leave it out.');
  expect(system).toContain('Answer with one JSON object and nothing else.');
  expect(system).not.toMatch(/names in the instructions|null/);
});

it('summarize asks for the keys that its instructions list, and for no other', async () => {
  const responseFormat = { type: 'JSON_OBJECT' };

  const listed = await systemFor('summarize', {
    responseFormat,
    instructions: 'Keys: topic, mood',
  });
  const free = await systemFor('summarize', { responseFormat });

  expect(listed).toContain('- "topic" (');
  expect(listed).not.toContain('under the key "summary"');
  expect(free).toContain('under the key "summary"');
});

describe('an answer of any shape', () => {
  it.each([
    ['extract', { instructions: 'Whatever matters.' }],
    ['summarize', { responseFormat: { type: 'JSON_OBJECT' } }],
    ['run', { instructions: 'Do it.', responseFormat: { type: 'JSON_OBJECT' } }],
  ])('is asked of %s once, and no schema stated that says nothing', async (operation, options) => {
    const system = await systemFor(operation, options);

    expect(system).not.toContain('JSON Schema');
    expect(system.match(/one JSON object/g)).toHaveLength(1);
  });
});

describe('what is wrong with an answer', () => {
  it('is one sentence with one full stop', async () => {
    expect(await complaints('summarize', {}, '  ', 'Short.')).toEqual([
      'That answer is not valid: The answer must not be empty. Answer again, complete and in the required form, with nothing else.',
    ]);
    expect(await complaints('extract', { schema: { a: 'string' } }, 'no', { a: null })).toEqual([
      'That answer is not valid: The answer must be one JSON object and nothing else. Answer again, complete and in the required form, with nothing else.',
    ]);
  });

  it.each([
    [
      'a list of values or null',
      { anyOf: [{ enum: ['S', 'L'] }, { type: 'null' }] },
      'size must be one of "S", "L" or null',
    ],
    ['values of a type', { type: 'string', enum: ['S', 'L'] }, 'size must be "S" or "L"'],
    ['two types', { anyOf: [{ type: 'number' }, { type: 'null' }] }, 'size must be number or null'],
    ['one value', { const: 'S' }, 'size must be "S"'],
  ])('names what is allowed once, for %s', async (_, size, words) => {
    const schema = {
      type: 'object',
      properties: { size },
      required: ['size'],
      additionalProperties: false,
    };

    const [complaint = ''] = await complaints(
      'extract',
      { schema },
      { size: 'huge and wide' },
      { size: 'S' },
    );

    expect(complaint).toContain(`That answer is not valid: ${words}. Answer again`);
  });

  it('is not taken for a text to work on', async () => {
    expect(await systemFor('label', { categories: ['a', 'b'] })).toContain(
      'Each user message is one text to work on, unless it says that your answer is not valid.',
    );
  });
});

it('examples of label that leave the confidence out do not say that answers do', async () => {
  const categories = ['a', 'b'];
  const examples = [{ content: 'A', labels: ['a'] }];

  expect(await systemFor('label', { categories, examples })).toContain(
    'The examples leave the confidence out, so that it is not copied; your answer has it.',
  );
  expect(await systemFor('label', { categories })).not.toContain('The examples');
});
