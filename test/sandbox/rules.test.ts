import { describe, expect, test } from 'vitest';
import { createRules } from '../../src/sandbox/rules/answer.ts';
import type { RuleMessage } from '../../src/sandbox/rules/prompt.ts';
import { labelSchema } from './requests.ts';

const rules = createRules();

function chat(system: string, user: string): RuleMessage[] {
  return [
    { role: 'system', content: system },
    { role: 'user', content: user },
  ];
}

function fill(
  schema: Record<string, unknown>,
  text: string,
  system = 'Work on the text.',
): Record<string, unknown> {
  const format = { type: 'json' as const, schema, schemaText: JSON.stringify(schema) };
  return JSON.parse(rules({ messages: chat(system, text), format }).content);
}

function label(categories: string[], text: string, system?: string): unknown {
  return fill(labelSchema(categories), text, system).label;
}

/** Nullable fields by name, as the short form of extract makes them. */
function extract(names: string[], text: string): Record<string, unknown> {
  const numeric = new Set([
    'revenue',
    'amount',
    'year',
    'total',
    'age',
    'people',
    'percent',
    'rating',
    'quantity',
  ]);
  return fill(
    {
      type: 'object',
      properties: Object.fromEntries(
        names.map((name) => [name, { type: [numeric.has(name) ? 'number' : 'string', 'null'] }]),
      ),
      required: names,
    },
    text,
  );
}

function run(system: string, text: string): string {
  return rules({ messages: chat(system, text), format: { type: 'text' } }).content;
}

describe('labels', () => {
  const feelings = ['positive', 'negative', 'neutral', 'mixed'];
  test.each([
    [feelings, 'I love this phone, it is fantastic!', 'positive'],
    [feelings, 'Terrible. It broke after two days.', 'negative'],
    [feelings, 'This is not a good experience', 'negative'],
    [feelings, 'The package has three buttons.', 'neutral'],
    [
      ['sports', 'politics', 'business', 'technology'],
      'The striker scored twice and his team won the league',
      'sports',
    ],
    [
      ['sports', 'politics', 'business', 'technology'],
      'Parliament votes on the new law today',
      'politics',
    ],
    [
      ['sports', 'politics', 'business', 'technology'],
      'Shares rose after strong quarterly earnings',
      'business',
    ],
    [['spam', 'ham'], 'WINNER!! Claim your free prize now', 'spam'],
    [['spam', 'ham'], 'See you at lunch tomorrow?', 'ham'],
    [['low', 'medium', 'high', 'urgent'], 'Production is down, fix it immediately!!', 'urgent'],
    [['low', 'medium', 'high', 'urgent'], 'The footer could be a bit wider some day', 'low'],
    [['配送', '料金'], '配送がまだ届いていません', '配送'],
    [
      ['cardArrival', 'lost_or_stolen_phone', 'changePin'],
      'Someone took my phone',
      'lost_or_stolen_phone',
    ],
    [['billing', 'technical', 'other'], 'Zzz qqq', 'other'],
  ])('%j: "%s" is %s', (categories, text, expected) => {
    expect(label(categories, text)).toBe(expected);
  });

  test('descriptions in the system message count', () => {
    const system =
      'Categories:\n- "A1": bicycles, wheels and chains\n- "B2": invoices and payments';

    expect(label(['A1', 'B2'], 'My chain fell off', system)).toBe('A1');
    expect(label(['A1', 'B2'], 'I paid twice', system)).toBe('B2');
  });

  test('few-shot examples count', () => {
    const schema = labelSchema(['A', 'B']);
    const shots = [
      { role: 'user', content: 'a red apple' },
      { role: 'assistant', content: '{"label":"A"}' },
      { role: 'user', content: 'a blue car' },
      { role: 'assistant', content: '{"label":"B"}' },
    ];
    const ask = (content: string) =>
      rules({
        messages: [...shots, { role: 'user', content }],
        format: { type: 'json', schema, schemaText: JSON.stringify(schema) },
      }).content;

    expect(ask('two green apples')).toContain('"label":"A"');
    expect(ask('the car stopped')).toContain('"label":"B"');
  });

  test('an answer that is asked again is about the item, not about the complaint', () => {
    const schema = labelSchema(['positive', 'negative']);
    const messages = [
      ...chat('Label the text.', 'I love it'),
      { role: 'assistant', content: '{"label":"great"}' },
      {
        role: 'user',
        content: 'That answer is not valid: label must be positive or negative. Answer again.',
      },
    ];

    const { content } = rules({ messages, format: { type: 'json', schema, schemaText: '' } });

    expect(JSON.parse(content)).toMatchObject({ label: 'positive' });
  });

  test('several labels are given where several fit', () => {
    const schema = {
      type: 'object',
      properties: {
        labels: {
          type: 'array',
          items: { type: 'string', enum: ['billing', 'technical', 'delivery'] },
        },
      },
      required: ['labels'],
    };

    expect(fill(schema, 'I was charged twice and the app crashes')).toEqual({
      labels: expect.arrayContaining(['billing', 'technical']),
    });
    expect(fill(schema, 'Where is my parcel?')).toEqual({ labels: ['delivery'] });
  });

  test('a clear text makes a surer label than an unclear one', () => {
    const sure = fill(labelSchema(feelings), 'Excellent, wonderful, I love it!').confidence;
    const unsure = fill(labelSchema(feelings), 'It is somewhat good').confidence;

    expect(sure).toBeGreaterThan(unsure as number);
  });
});

describe('extraction', () => {
  test.each([
    [
      'Contact Jane Doe, VP of Marketing at Acme Corp, jane.doe@acme.com or +1 415 555 0100.',
      {
        person_name: 'Jane Doe',
        title: 'VP of Marketing',
        company: 'Acme Corp',
        email: 'jane.doe@acme.com',
        phone: '+1 415 555 0100',
      },
    ],
    [
      'Apple reported revenue of $383.3 billion in fiscal 2023.',
      { company: 'Apple', revenue: 383_300_000_000, year: 2023 },
    ],
    [
      'Ada Palmer joined Terra Ignota Ltd on 1 January 2000 for $60025 a year.',
      { person: 'Ada Palmer', company: 'Terra Ignota Ltd', date: '2000-01-01', amount: 60_025 },
    ],
    ['Revenue grew 12.5% to EUR 1.2bn', { percent: 12.5, revenue: 1_200_000_000, currency: 'EUR' }],
    ['Maria Garcia is 34 years old and lives in Madrid, Spain.', { name: 'Maria Garcia', age: 34 }],
    [
      'On March 5, 2024, Satya Nadella, CEO of Microsoft, spoke.',
      { ceo: 'Satya Nadella', company: 'Microsoft', date: '2024-03-05' },
    ],
    [
      'A table for 4 people under Marlon Morsbach for tomorrow at 7:45 p.m.',
      {
        people: 4,
        first_name: 'Marlon',
        last_name: 'Morsbach',
        date: 'tomorrow',
        time: '7:45 p.m.',
      },
    ],
    ['See https://example.com/docs?x=1 for more.', { url: 'https://example.com/docs?x=1' }],
    ['Invoice #INV-2231, total: EUR 1,234.50', { invoice_number: 'INV-2231', total: 1_234.5 }],
    ['Order: 77\nColour: dark green\nQuantity: 3', { colour: 'dark green', quantity: 3 }],
    ['Nothing to see here.', { email: null, phone: null, date: null, revenue: null }],
  ])('"%s"', (text, expected) => {
    expect(extract(Object.keys(expected), text)).toEqual(expected);
  });

  test('lists of objects take what belongs together', () => {
    const people = {
      type: 'object',
      properties: {
        people: {
          type: 'array',
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, title: { type: 'string' } },
          },
        },
      },
    };

    expect(
      fill(people, 'Tim Cook, CEO of Apple, met Satya Nadella, chairman of Microsoft.'),
    ).toEqual({
      people: [
        { name: 'Tim Cook', title: 'CEO' },
        { name: 'Satya Nadella', title: 'chairman' },
      ],
    });
  });

  test('yes and no follow what the property asks, and its negation', () => {
    const schema = {
      type: 'object',
      properties: { is_complaint: { type: 'boolean' }, mentions_refund: { type: 'boolean' } },
      required: ['is_complaint', 'mentions_refund'],
    };

    expect(fill(schema, 'I want my money back, this is unacceptable.')).toEqual({
      is_complaint: true,
      mentions_refund: true,
    });
    expect(fill(schema, 'Lovely shop, see you soon.')).toEqual({
      is_complaint: false,
      mentions_refund: false,
    });
  });

  test('a rating falls on its scale', () => {
    const schema = {
      type: 'object',
      properties: { rating: { type: 'integer', minimum: 1, maximum: 5 } },
      required: ['rating'],
    };

    expect(fill(schema, 'Ordered in 2024, 4 stars from me.')).toEqual({ rating: 4 });
    expect(fill(schema, 'Horrible, 0 out of 10.')).toEqual({ rating: 1 });
  });

  test('with json_object the schema in the system message is filled', () => {
    const system =
      'Answer with a JSON object that satisfies this JSON Schema: {"type":"object","properties":{"email":{"type":"string"}},"required":["email"]}';
    const { content } = rules({
      messages: chat(system, 'Write to a@b.de'),
      format: { type: 'json', schema: null, schemaText: '' },
    });

    expect(JSON.parse(content)).toEqual({ email: 'a@b.de' });
  });

  test('with json_object and nothing to go by there is an answer', () => {
    const { content } = rules({
      messages: chat('Summarize in JSON.', 'One. Two.'),
      format: { type: 'json', schema: null, schemaText: '' },
    });

    expect(JSON.parse(content)).toEqual({ answer: 'One. Two.' });
  });
});

describe('free text', () => {
  const dogs =
    'Dogs are loyal. Many people keep dogs as pets. Dogs need exercise and food. Cats are different.';
  test.each([
    ['Summarize in one sentence.', dogs, 'Dogs are loyal.'],
    ['Make it upper case', 'straße 1', 'STRASSE 1'],
    ['Make it lowercase', 'ABC', 'abc'],
    [
      'Where was the treaty signed?',
      'The war ended. The treaty was signed in Münster. All left.',
      'The treaty was signed in Münster.',
    ],
    ['Do the thing', 'First sentence. Second.', 'First sentence.'],
  ])('%s', (system, text, expected) => {
    expect(run(system, text)).toBe(expected);
  });

  test.each([
    'Translate to French',
    'Write a poem about it',
    'Rewrite it politely',
    'Classify into one of: spam, ham.',
  ])('%s: it says that it cannot', (system) => {
    expect(run(system, 'hello')).toMatch(
      /^I cannot .+: I am the sandbox's rule-based stand-in, not a language model\.$/,
    );
  });

  test('to a question alone it says that it cannot answer', () => {
    const ask = (content: string) =>
      rules({ messages: [{ role: 'user', content }], format: { type: 'text' } }).content;

    expect(ask('What is the capital of France?')).toMatch(/stand-in/);
  });
});
