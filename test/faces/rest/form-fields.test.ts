/**
 * What stands in the fields of a form: JSON that is JSON, names with commas, and spellings that
 * people come with.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';

type Fields = Record<string, string>;

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const cases = JSON.parse(
  await readFile(new URL('../../cases/form-fields.json', import.meta.url), 'utf8'),
) as { fields: Fields[]; good: Fields[] };

/** Sends a form with its fields before or behind a good file. */
async function send(fields: Fields, place: 'before' | 'behind' = 'behind') {
  const form = new FormData();
  const file = () => form.set('file', new Blob(['text\nI love it\nWorst ever\n']), 'text.csv');
  if (place === 'behind') file();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  if (place === 'before') file();
  const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
  return { status: response.status, body: (await response.json()) as Record<string, any> };
}

async function countBatches(): Promise<number> {
  const { data } = await app.graphql('{ batches { totalCount } }');
  return data?.batches.totalCount;
}

/** What is said of the one field that is wrong. */
async function problemOf(fields: Fields): Promise<string> {
  const { status, body } = await send(fields);
  expect(status).toBe(400);
  return body.error.issues
    .map(({ path, message }: { path: string; message: string }) => `${path} ${message}`)
    .join('; ');
}

describe('fields with broken JSON, or JSON of another shape', () => {
  it.each(
    cases.fields.flatMap((fields) => [[fields, 'before'] as const, [fields, 'behind'] as const]),
  )('%j %s the file are refused, and no batch is made', async (fields, place) => {
    const before = await countBatches();

    const { status, body } = await send(fields, place);

    const [name] = Object.keys(fields).filter((field) => field !== 'operation');
    expect([status, body.error.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(body.error.issues.map(({ path }: { path: string }) => path.split('.')[0])).toEqual([
      name,
    ]);
    expect(await countBatches()).toBe(before);
  });

  it.each([
    [
      { operation: 'label', categories: '["positive","negative"' },
      'categories is not JSON: character 23 should be , or ]; it takes a JSON array of texts, or names with commas between them',
    ],
    [{ operation: 'label', categories: '["ok", 5]' }, 'categories.1 must be text'],
    [
      { operation: 'label', categories: '{"good": "praise", "bad": "blame"}' },
      'categories must be a JSON array of texts, or names with commas between them',
    ],
    [
      { operation: 'label', categories: ' [good, bad]' },
      'categories is not JSON: character 3 should be a value or ]; it takes a JSON array of texts, or names with commas between them',
    ],
    [
      { operation: 'enrich', fields: '[{"name": "segment", "description": "size, by staff"' },
      'fields is not JSON: character 53 should be , or }; it takes a JSON array of objects {name, type, description, validValues, examples}, or names with commas between them',
    ],
    [
      { operation: 'enrich', fields: '[{"name": "segment", "kind": "CATEGORICAL"}]' },
      'fields.0 has an unknown key "kind"; it takes name, type, description, validValues, examples',
    ],
    [
      { operation: 'enrich', fields: '[{"name": "a", "vaild_values": ["x"]}]' },
      'fields.0 has an unknown key "vaild_values" (did you mean "validValues"?); it takes name, type, description, validValues, examples',
    ],
    [
      { operation: 'enrich', fields: "[{'name': 'segment'}]" },
      "fields is not JSON: character 3 should be a key in double quotes or }, and is '; it takes a JSON array of objects {name, type, description, validValues, examples}, or names with commas between them",
    ],
    [
      { operation: 'label', categories: 'a,b', examples: '[{"content": "x", "labels": ["a"],}]' },
      'examples is not JSON: character 35 should be a key in double quotes; it takes a JSON array of objects {content, metadata, labels}',
    ],
    [
      { operation: 'extract', schema: '{price: number}' },
      'schema is not JSON: character 2 should be a key in double quotes or }; it takes a JSON object',
    ],
    [
      { operation: 'extract', schema: '{"price": NaN}' },
      'schema is not JSON: character 11 should be a value (NaN is none, null is); it takes a JSON object',
    ],
    [{ operation: 'extract', schema: 'price' }, 'schema must be a JSON object'],
    [{ operation: 'summarize', metadata: '["team"]' }, 'metadata must be a JSON object'],
    [
      { operation: 'summarize', metadata: '{"team": "a"} ' + '}' },
      'metadata is not JSON: something follows its end at character 15; it takes a JSON object',
    ],
    [
      { operation: 'label', categories: 'a,b', category_descriptions: '[1]' },
      'categoryDescriptions must be a JSON object',
    ],
    [
      { operation: 'enrich', fields: 'size', runtime_categories: 'small,large' },
      'runtimeCategories must be a JSON object',
    ],
    [
      { operation: 'summarize', response_format: '{"type": "jsonobject"}' },
      'responseFormat.type must be one of TEXT, JSON_OBJECT, JSON_SCHEMA (did you mean "JSON_OBJECT"?)',
    ],
    [
      { operation: 'summarize', response_format: 'json_object' },
      'responseFormat must be a JSON object {type, schema}',
    ],
    [
      { operation: 'summarize', extra_body: '{"top_k": 5' },
      'extraBody is not JSON: character 12 should be , or }; it takes a JSON object',
    ],
    [{ operation: 'summarize', temperature: 'hot' }, 'temperature must be a number'],
    [{ operation: 'summarize', seed: '1.5' }, 'seed must be a whole number'],
    [{ operation: 'summarize', seed: '12345678901234567890' }, 'seed must be a 32-bit integer'],
    [
      { operation: 'summarize', max_output_tokens: '1e30' },
      'maxOutputTokens must be between 1 and 1,000,000',
    ],
    [{ operation: 'summarize', temperature: '[0]' }, 'temperature must be a number'],
    [
      { operation: 'label', categories: 'a,b', multi_label: 'yes' },
      'multiLabel must be true or false',
    ],
    [{ operation: 'summarize', auto_start: 'no' }, 'autoStart must be true or false'],
    [
      { operation: 'summarize', execution: 'batch' },
      'execution must be one of LIVE, PROVIDER_BATCH',
    ],
    [
      { operation: 'label', options: '{"categories": ["a", "b"]' },
      'options is not JSON: character 26 should be , or }; it takes a JSON object',
    ],
    [{ operation: 'label', options: '{"categories": ["a", 1]}' }, 'categories.1 must be text'],
    [
      { operation: 'label', categories: `[${'1,'.repeat(90_000)}1]` },
      'categories has a list of more than 10,000 entries',
    ],
    [
      { operation: 'label', categories: `[${'1,'.repeat(300_000)}1]` },
      'categories must hold at most 100,000 values',
    ],
    [
      { operation: 'label', categories: `[${' '.repeat(2_000_000)}x` },
      'categories is not JSON: it breaks behind character 1,000,000; it takes a JSON array of texts, or names with commas between them',
    ],
    [
      {
        operation: 'enrich',
        fields: `[{"name": "a", ${Array.from({ length: 9 }, (_, at) => `"k${at}": 1`).join()}}]`,
      },
      'fields.0 has unknown keys "k0", "k1", "k2", "k3", "k4", …; it takes name, type, description, validValues, examples',
    ],
    [
      { operation: 'label', categories: '"a, b","c"' },
      'categories has a name in quotes; write a JSON array, ["a", "b"], or the names without quotes',
    ],
  ] as [Fields, string][])('are told: %#', async (fields, problem) => {
    expect(await problemOf(fields)).toBe(problem);
  });
});

describe('what people write', () => {
  const large = ['large', 'small'];

  it.each([
    [
      cases.good[0],
      {
        fields: [
          {
            name: 'segment',
            type: 'CATEGORICAL',
            description: 'size, by staff',
            validValues: large,
          },
        ],
      },
    ],
    [cases.good[1], { responseFormat: { type: 'JSON_OBJECT' } }],
    [cases.good[2], { instructions: 'Extract: person_name, title' }],
    [cases.good[3], { categories: ['positive', 'negative'] }],
    [{ operation: 'label', categories: 'a, b c\nd\r\n' }, { categories: ['a', 'b c', 'd'] }],
    [{ operation: 'extract', schema: '\ufeff{"a": "string"}\n' }, { schema: { a: 'string' } }],
    [
      { operation: 'Summarize', summary_instructions: 'One sentence.' },
      { instructions: 'One sentence.' },
    ],
    [
      { options: '{"operation": "extract", "extractionInstructions": "Extract: name"}' },
      { instructions: 'Extract: name' },
    ],
    [
      {
        options: `{"operation": "enrich", "runtime_categories": {"seg_ment": ["large", "small"]}, "fields": [{"name": "seg_ment", "type": "Categorical"}, "size_of"]}`,
      },
      {
        fields: [{ name: 'seg_ment', type: 'CATEGORICAL' }, { name: 'size_of' }],
        runtimeCategories: { seg_ment: large },
      },
    ],
    [
      {
        operation: 'summarize',
        response_format: '{"type": "Json_Schema", "schema": {"short_text": "string"}}',
      },
      { responseFormat: { type: 'JSON_SCHEMA', schema: { short_text: 'string' } } },
    ],
    [
      {
        operation: 'label',
        categories: '["good [A]","bad, worse"]',
        multi_label: 'True',
        examples: '[{"content": "[x", "labels": ["good [A]"]}]',
        category_descriptions: '{"good [A]": "a_b"}',
        instructions: '[Judge] the tone {as is}',
        temperature: ' 1e-1 ',
        execution: 'live',
      },
      {
        categories: ['good [A]', 'bad, worse'],
        multiLabel: true,
        examples: [{ content: '[x', labels: ['good [A]'] }],
        categoryDescriptions: { 'good [A]': 'a_b' },
        instructions: '[Judge] the tone {as is}',
        temperature: 0.1,
      },
    ],
  ])('%j is understood', async (fields, options) => {
    const { status, body } = await send({ ...(fields as Fields), auto_start: 'false' });

    expect([status, body.error]).toEqual([201, undefined]);
    const { data } = await app.graphql('query ($id: ID!) { batch(id: $id) { options } }', {
      id: body.batchId,
    });
    expect(data?.batch.options).toMatchObject(options);
  });

  it.each([
    [
      { operation: 'label', catgories: 'a,b' },
      'catgories must be a field of label (did you mean "categories"?)',
    ],
    [
      { operation: 'label', categories: 'a,b', 'multi-label': 'true' },
      'multi-label must be a field of label (did you mean "multiLabel"?)',
    ],
    [
      { operation: 'lable', categories: 'a,b' },
      'operation must be one of label, extract, summarize, enrich, run, chat, not "lable" (did you mean "label"?)',
    ],
    [
      { operation: 'summarize', custom_id_feild: 'text' },
      'customIdFeild must be a field of summarize (did you mean "customIdField"?)',
    ],
    [
      { contentfield: 'text' },
      'contentfield must be a field of a form (did you mean "contentField"?)',
    ],
    [
      { categories: 'a,b' },
      'operation is required to start a batch. One of: label, extract, summarize, enrich, run, chat',
    ],
    [
      { operation: 'extract', instructions: 'a', extraction_instructions: 'b' },
      'instructions is given more than once',
    ],
    [
      {
        operation: 'enrich',
        fields: '[{"name": "a", "valid_values": ["x"], "validValues": ["x"]}]',
      },
      'fields.0 has an unknown key "valid_values" (did you mean "validValues"?); it takes name, type, description, validValues, examples',
    ],
  ])('%j is answered with what is known: %s', async (fields, problem) => {
    expect(await problemOf(fields as Fields)).toContain(problem);
  });

  it('a name that is near none is answered with all there are, each once', async () => {
    const problem = await problemOf({ operation: 'label', categories: 'a,b', zzzzzzzz: 'x' });
    const names = problem.split('must be a field of label: ')[1]?.split(', ') ?? [];

    expect(names).toEqual(expect.arrayContaining(['categories', 'contentField', 'rowsField']));
    expect(names).toEqual([...new Set(names)]);
  });
});
