/** Templates, schemas and answers that multiply: one request of them stops nobody. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completion } from '../support/stub-provider.ts';
import { type Report, startVictim, type Victim } from './one-request-harness.ts';

let victim: Victim;
beforeAll(async () => {
  victim = await startVictim({ withKeys: false });
});
afterAll(() => victim.stop());

const answers: { status: number; text: string }[] = [];

/** One POST as the attack; its answer is in `answers`. */
async function attackBy(query: string, variables: unknown): Promise<Report> {
  answers.length = 0;
  const body = JSON.stringify({ query, variables });
  return await victim.attack(async ({ post }) => answers.push(await post(body)));
}

const list = <T>(length: number, one: (index: number) => T): T[] =>
  Array.from({ length }, (_, index) => one(index));
const named = (length: number, schema: unknown) =>
  Object.fromEntries(list(length, (n) => [`p${n}`, schema]));

const extract = `mutation($schema: JSONObject) {
  extract(items: [{content: "x"}], options: {schema: $schema}) { results { data error { code message } } }
}`;
const run = `mutation($items: [ItemInput!]!, $template: String) {
  run(items: $items, options: {userPromptTemplate: $template}) { results { text error { code message } } }
}`;

describe('templates', () => {
  it.each([
    ['a prompt of 450 MB', 50_000, 9_000],
    ['a prompt longer than any string', 110_000, 10_000],
  ])('%s', async (_what, times, length) => {
    const variables = {
      items: [{ content: 'x'.repeat(length) }],
      template: '{content}'.repeat(times),
    };

    const report = await attackBy(run, variables);

    expect(report.breaches).toEqual([]);
    expect(answers[0]?.text).toContain('CONTEXT_TOO_LONG');
  });
});

describe('schemas', () => {
  const references = (count: number, properties: number) => ({
    type: 'object',
    properties: named(count, { $ref: '#/$defs/d' }),
    $defs: { d: { type: 'object', properties: named(properties, { type: 'string' }) } },
  });
  it.each([
    ['300 references to 300 properties', references(300, 300)],
    ['1,500 references to 800 properties', references(1_500, 800)],
    ['30,000 branches', { type: 'object', properties: { a: { anyOf: list(30_000, () => ({})) } } }],
    ['15,000 values', { type: 'object', properties: { a: { enum: list(15_000, (n) => n) } } }],
    [
      '2,000 patterns',
      { type: 'object', properties: named(2_000, { type: 'string', pattern: '^a' }) },
    ],
  ])('%s', async (_what, schema) => {
    const report = await attackBy(extract, { schema });

    expect(report.breaches).toEqual([]);
    expect(answers[0]?.text).not.toContain('INTERNAL');
  });
});

describe('answers', () => {
  it.each([
    ['100,000 strings against 1,000 values', 100_000, 1_000],
    ['400,000 strings against 2,000 values', 400_000, 2_000],
  ])('%s', async (_what, strings, values) => {
    victim.provider.reply({
      body: completion(JSON.stringify({ a: list(strings, () => 'x') })),
    });
    const schema = {
      type: 'object',
      properties: { a: { type: 'array', items: { enum: list(values, (n) => `v${n}`) } } },
    };

    const report = await attackBy(extract, { schema });

    expect(report.breaches).toEqual([]);
  });
});
