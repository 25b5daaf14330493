/** Labels and valid values: written in another form, none that fits, and how sure the model is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider } from '../../support/stub-provider.ts';
import { type AnswerCase, readCase, runCase } from './case-support.ts';
import { type Data, post, untilEnded } from './support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp());
});
afterAll(() => app.stop());

const run = (given: AnswerCase, more: Record<string, unknown> = {}) =>
  runCase(app, stub, given, { more });

const labelled = (categories: string[], label: unknown): AnswerCase => ({
  operation: 'label',
  options: { categories },
  item: 'A text',
  answers: [JSON.stringify({ label, confidence: 0.8 })],
});

describe('a label in another form', () => {
  it('is the one category that it fits', async () => {
    const { result, requests } = await run(readCase('label-with-a-dot.answer.json'));

    expect(result).toMatchObject({ label: 'Mid-Market', confidence: 0.8, error: null });
    expect(requests).toBe(1);
  });

  it('is stored as it was given, however its accents are written', async () => {
    const given = readCase('composed-letters.answer.json');
    const { result, requests } = await run(given);

    expect(given.answers[0]).not.toContain((given.options.categories as string[])[0]);
    expect(result.label).toBe((given.options.categories as string[])[0]);
    expect(requests).toBe(1);
  });

  it.each([
    [['Mid-Market', 'Enterprise'], '“mid_market”', 'Mid-Market'],
    [['Mid-Market', 'Enterprise'], '"Mid Market".', 'Mid-Market'],
    [['Mid-Market', 'Enterprise'], 'MIDMARKET', 'Mid-Market'],
    [['mid market', 'mid-market'], 'Mid-Market', 'mid-market'],
    [['Straße', 'Platz'], 'STRASSE', 'Straße'],
    [['Cafe\u0301', 'Bar'], 'CAFÉ', 'Cafe\u0301'],
    [['1', '2'], 2, '2'],
    [['true', 'false'], true, 'true'],
    [['18-25', '1825'], '18 – 25', '18-25'],
    [['-1', '0', '1'], ' -1.', '-1'],
    [['U.S.', 'U.K.'], 'u.s', 'U.S.'],
  ])('of %j: %j is %j', async (categories, written, label) => {
    const { result, requests } = await run(labelled(categories, written));

    expect(result).toMatchObject({ label, error: null });
    expect(requests).toBe(1);
  });

  it.each([
    [['mid market', 'mid-market'], 'mid_market'],
    [['0', '1'], '-1'],
    [['15', '25'], '1-5'],
    [['15', '25'], '1.5'],
    [['-', '_'], ''],
    [['positive', 'negative'], 'rather positive'],
  ])('of %j: %j is none', async (categories, written) => {
    const { result } = await run(labelled(categories, written));

    expect(result).toMatchObject({ label: null, error: { code: 'INVALID_OUTPUT' } });
  });

  it('is matched in lists of labels and in valid values too', async () => {
    const labels = await run({
      operation: 'label',
      options: { categories: ['Mid-Market', 'Enterprise'], multiLabel: true },
      item: 'A text',
      answers: ['{"labels": ["enterprise.", "mid market"]}'],
    });
    const values = await run({
      operation: 'enrich',
      options: {
        fields: [
          { name: 'size', type: 'CATEGORICAL', validValues: ['Mid-Market', 'Enterprise'] },
          { name: 'tags', type: 'LIST', validValues: ['caf\u00e9', 'bar'] },
        ],
      },
      item: 'A text',
      answers: ['{"size": "mid_market.", "tags": ["Cafe\u0301"]}'],
    });

    expect(labels.result.labels).toEqual(['Mid-Market', 'Enterprise']);
    expect(values.result.data).toEqual({ size: 'Mid-Market', tags: ['caf\u00e9'] });
  });
});

describe('categories that are the same letters', () => {
  const twice = ['caf\u00e9', 'bar', 'cafe\u0301'];
  const label =
    'mutation($options: LabelOptions!) { label(items: [{content: "x"}], options: $options) { model } }';
  const enrich =
    'mutation($options: EnrichOptions!) { enrich(items: [{content: "x"}], options: $options) { model } }';

  it('are given twice', async () => {
    const { errors } = await app.graphql(label, { options: { categories: twice } });

    expect(errors?.[0]?.extensions.issues).toEqual([
      { path: 'options.categories.2', message: 'must differ from categories.0' },
    ]);
  });

  it('are given twice as valid values of a field, and at run time', async () => {
    const field = { name: 'place', type: 'CATEGORICAL' };
    const fixed = await app.graphql(enrich, {
      options: { fields: [{ ...field, validValues: twice }] },
    });
    const late = await app.graphql(enrich, {
      options: { fields: [field], runtimeCategories: { place: twice } },
    });

    expect(fixed.errors?.[0]?.extensions.issues[0].path).toBe('options.fields.0.validValues.2');
    expect(late.errors?.[0]?.extensions.issues[0].path).toBe('options.runtimeCategories.place.2');
  });

  it('are known to descriptions and examples however those write them', async () => {
    const { result } = await run(
      { ...labelled(['caf\u00e9', 'bar'], 'bar') },
      {
        categoryDescriptions: { 'cafe\u0301': 'With coffee' },
        examples: [{ content: 'Two espressos', labels: ['cafe\u0301'] }],
      },
    );

    expect(result).toMatchObject({ label: 'bar', error: null });
    const [system, , example] = (stub.requests[0]?.body.messages ?? []) as Data[];
    expect(system?.content).toContain('- "caf\u00e9": With coffee');
    expect(example?.content).toBe('{"label":"caf\u00e9"}');
  });
});

const schemaOf = (request: Data | undefined): Data =>
  request?.body.response_format.json_schema.schema.properties.label;

describe('allowNone', () => {
  it('takes null for a text that fits no category', async () => {
    const { result, requests } = await run(readCase('none-fits.answer.json'));

    expect(result).toMatchObject({ label: null, labels: [], error: null });
    expect(result).toMatchObject({ confidence: 0.97, confidenceMethod: 'MODEL_REPORTED' });
    expect(requests).toBe(1);
    expect(JSON.stringify(schemaOf(stub.requests[0]))).toContain('null');
    expect(stub.requests[0]?.body.messages[0].content).toContain('write null');
  });

  it('is off unless it is asked for: then null is neither sent nor taken', async () => {
    const { result } = await run({ ...readCase('none-fits.answer.json') }, { allowNone: false });

    expect(result).toMatchObject({ label: null, labels: null, error: { code: 'INVALID_OUTPUT' } });
    expect(JSON.stringify(schemaOf(stub.requests[0]))).not.toContain('null');
  });

  it.each(['"null"', '"None."', '""'])(
    'takes %s for null, which no category is called',
    async (label) => {
      const given = readCase('none-fits.answer.json');
      const free = await run({ ...given, answers: [`{"label": ${label}}`] });
      const named = await run(
        { ...given, answers: ['{"label": "none"}'] },
        { categories: ['None', 'delivery'] },
      );
      const forced = await run(
        { ...given, answers: [`{"label": ${label}}`] },
        { allowNone: false },
      );

      expect(free.result).toMatchObject({ label: null, labels: [], error: null });
      expect(named.result).toMatchObject({ label: 'None' });
      expect(forced.result).toMatchObject({ error: { code: 'INVALID_OUTPUT' } });
    },
  );

  it('takes labels too, and examples without one', async () => {
    const given = readCase('none-fits.answer.json');
    const examples = [{ content: 'Hello', labels: [] }];
    const { result } = await run({ ...given, answers: ['{"label": "billing"}'] }, { examples });

    expect(result).toMatchObject({ label: 'billing', labels: ['billing'], error: null });
    expect(stub.requests[0]?.body.messages[2].content).toBe('{"label":null}');
  });

  it('leaves a row of a batch succeeded, with an empty cell', async () => {
    stub.reply({ body: completion('{"label": null, "confidence": 0.9}') });
    const id = await submit({ categories: ['billing', 'delivery'], allowNone: true });

    const { edges } = await items(id);
    const csv = await (await fetch(`${app.url}/batches/${id}/output?format=csv`)).text();

    expect(edges[0].node).toMatchObject({
      status: 'SUCCEEDED',
      result: { label: null, labels: [] },
    });
    expect(csv.split('\n')[1]).toBe('0,France?,,0.9,MODEL_REPORTED,succeeded,,');
  });
});

describe('a label that had to be chosen', () => {
  const doubted = {
    ...readCase('none-fits.answer.json'),
    answers: ['{"label": "billing", "confidence": 0.1}'],
  };
  const withTokens = (label: string, confidence: number) => {
    const tokens = ['{"label": "', label, `", "confidence": ${confidence}}`];
    const body = completion(tokens.join(''));
    const [choice] = body.choices as object[];
    const content = tokens.map((token) => ({ token, logprob: Math.log(0.99) }));
    return () => ({ body: { ...body, choices: [{ ...choice, logprobs: { content } }] } });
  };

  it('is as sure as the model says where that doubts it', async () => {
    const { result } = await runCase(app, stub, doubted, {
      more: { allowNone: false },
      reply: withTokens('billing', 0.1),
    });

    expect(result).toMatchObject({ confidence: 0.1, confidenceMethod: 'MODEL_REPORTED' });
  });

  it('is as sure as its tokens are likely where the model does not doubt it, or could have said none', async () => {
    const sure = await runCase(app, stub, doubted, {
      more: { allowNone: false },
      reply: withTokens('billing', 0.5),
    });
    const free = await runCase(app, stub, doubted, { reply: withTokens('billing', 0.1) });

    expect(sure.result).toMatchObject({ confidenceMethod: 'LOGPROBS' });
    expect(free.result).toMatchObject({ confidenceMethod: 'LOGPROBS' });
  });

  it('is as sure as the tokens of the answer are likely, not those of a thought in front of it', async () => {
    const words = [
      '<think>',
      '{"label": "',
      'negative',
      '"} no</think>',
      '{"label": "',
      'positive',
      '", "confidence": 0.9}',
    ];
    const content = words.map((token) => ({
      token,
      logprob: token === 'positive' ? Math.log(0.8) : -3,
    }));
    const body = completion(words.join(''));
    const [choice] = body.choices as object[];
    const { result } = await runCase(
      app,
      stub,
      { ...readCase('think.answer.json'), answers: [words.join('')] },
      {
        reply: () => ({ body: { ...body, choices: [{ ...choice, logprobs: { content } }] } }),
      },
    );

    expect(result).toMatchObject({ label: 'positive', confidenceMethod: 'LOGPROBS' });
    expect(result.confidence).toBeCloseTo(0.8);
  });

  it('is a category for all others before the nearest one, by the prompt', async () => {
    await run(labelled(['billing', 'other'], 'other'));

    expect(stub.requests[0]?.body.messages[0].content).toMatch(/"other".* else .*nearest/);
  });
});

async function submit(label: object): Promise<string> {
  const { body } = await post(app, {
    query: 'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    variables: { input: { operation: { label }, source: { texts: ['France?'] } } },
  });
  return body.data?.submitBatch.batch.id;
}

async function items(id: string): Promise<Data> {
  await untilEnded(app, id);
  const { data } = await app.graphql(
    'query($id: ID!) { batch(id: $id) { items { edges { node { status result { ... on LabelResult { label labels } } } } } } }',
    { id },
  );
  return data?.batch.items;
}

describe('the sandbox', () => {
  it('gives none to a text that no category has to do with, where it may', async () => {
    const sandboxed = await startApp();
    const { data } = await sandboxed.graphql(
      `mutation($options: LabelOptions!) {
        label(items: [{content: "What is the capital of France?"}, {content: "My billing is wrong"}], options: $options) {
          results { label labels } } }`,
      { options: { categories: ['billing', 'delivery'], allowNone: true } },
    );
    await sandboxed.stop();

    expect(data?.label.results).toEqual([
      { label: null, labels: [] },
      { label: 'billing', labels: ['billing'] },
    ]);
  });
});
