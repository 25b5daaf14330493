import { Tokenizer } from 'ai-tokenizer';
import * as o200k from 'ai-tokenizer/encoding/o200k_base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StubApp, startStubApp } from '../../support/stub-app.ts';
import type { StubRequest } from '../../support/stub-provider.ts';
import { completion } from '../../support/stub-provider.ts';
import { until } from '../../support/until.ts';

const tokenizer = new Tokenizer(o200k as never);
const tokensOf = (text: string) => tokenizer.encode(text, 'all').length;

/** Bills as OpenAI does: frames, messages, and the schema without what the model is not shown. */
function billed({ messages, response_format: format }: any, billsSchema = true): number {
  const unsaid = ['required', 'additionalProperties', '$schema'];
  const schema = format?.json_schema?.schema;
  const said = schema && JSON.stringify(schema, (k, v) => (unsaid.includes(k) ? undefined : v));
  return (
    3 +
    messages.reduce((sum: number, { content }: any) => sum + 4 + tokensOf(content), 0) +
    (said && billsSchema ? tokensOf(said) + 9 : 0)
  );
}

let stubs: StubApp;

function bill(answerOf: (request: StubRequest) => string, billsSchema = true) {
  stubs.stub.reply((request) => {
    const answer = answerOf(request);
    const usage = {
      prompt_tokens: billed(request.body, billsSchema),
      completion_tokens: tokensOf(answer),
    };
    return { body: completion(answer, { usage }) };
  });
}

beforeAll(async () => {
  stubs = await startStubApp((stub) => ({
    OPENAI_API_KEY: 'a key',
    OPENAI_BASE_URL: stub.url,
    ANTHROPIC_API_KEY: 'a key',
    ANTHROPIC_BASE_URL: stub.origin,
    PROVIDERS: JSON.stringify({ mine: { baseURL: stub.url } }),
    DEFAULT_MODEL: 'openai/gpt-4.1-mini',
    PRICES: JSON.stringify({ 'mine/small': { input: 1, output: 2, contextTokens: 2_000 } }),
  }));
});
afterAll(() => stubs.app.stop());

const fields = `model outputBasis prefixTokens tokenizerExact tooLongItems caveats
  inputTokens { expected low high } outputTokens { expected low high }
  liveUsd { expected low high } liveCachedUsd { expected } providerBatchUsd { expected }`;

async function quote(input: Record<string, unknown>) {
  const answer = await stubs.app.graphql(
    `query ($input: QuoteInput!) { quote(input: $input) {
      items sampledItems unaskableItems identicalItems models { ${fields} }
    } }`,
    { input },
  );
  if (!answer.data) throw new Error(JSON.stringify(answer.errors));
  return answer.data.quote;
}

/** Submits and waits for the end and the quote. */
async function run(input: Record<string, unknown>) {
  const submitted = await stubs.app.graphql(
    'mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    { input },
  );
  if (!submitted.data) throw new Error(JSON.stringify(submitted.errors));
  const { id } = submitted.data.submitBatch.batch;
  return await until(
    async () => {
      const { data } = await stubs.app.graphql(
        `query ($id: ID!) { batch(id: $id) { status usage { inputTokens outputTokens costUsd } quote { ${fields} } } }`,
        { id },
      );
      const batch = data?.batch;
      return batch?.status === 'COMPLETED' && batch.quote !== null ? batch : null;
    },
    { deadlineMs: 10_000, what: 'the end and the quote' },
  );
}

const categories = ['praise', 'complaint', 'a question about the delivery of an order'];
const texts = Array.from(
  { length: 120 },
  (_, index) => `Message ${index}: ${'my card has not arrived. '.repeat(1 + (index % 7))}`,
);

it('says before what a label bills afterwards, to the token', async () => {
  let asked = 0;
  bill(() => {
    const label = categories[asked++ % categories.length];
    return JSON.stringify({ label, confidence: 0.95 });
  });
  const input = { operation: { label: { categories } }, source: { texts } };
  const quoted = await quote(input);
  const batch = await run(input);

  expect(quoted).toMatchObject({
    items: 120,
    sampledItems: 120,
    unaskableItems: 0,
    identicalItems: 0,
  });
  const [model] = quoted.models;
  expect(model).toMatchObject({
    model: 'openai/gpt-4.1-mini',
    outputBasis: 'FIXED',
    tokenizerExact: true,
    tooLongItems: 0,
    caveats: [],
    liveCachedUsd: null,
  });
  const { inputTokens, outputTokens, costUsd } = batch.usage;
  expect(model.inputTokens).toEqual({
    expected: inputTokens,
    low: inputTokens,
    high: inputTokens,
  });
  expect(model.outputTokens.expected).toBe(outputTokens);
  expect(Math.abs(model.liveUsd.expected / costUsd - 1)).toBeLessThan(1e-9);
  expect(model.providerBatchUsd.expected).toBeCloseTo(model.liveUsd.expected / 2, 12);
  // Of the same rows, however few are counted.
  expect(batch.quote).toMatchObject({
    model: 'openai/gpt-4.1-mini',
    inputTokens: model.inputTokens,
    outputBasis: 'FIXED',
  });
});

it('knows from a batch how long answers are, and what a server bills of the schema', async () => {
  bill(
    () =>
      JSON.stringify({ name: 'A name of some length that nobody could have guessed, '.repeat(3) }),
    false,
  );
  const input = {
    operation: {
      extract: {
        model: 'mine/some-model',
        schema: { type: 'object', properties: { name: { type: 'string' } } },
      },
    },
    source: { texts },
  };
  const before = (await quote(input)).models[0];
  const { usage } = await run(input);
  const after = (await quote(input)).models[0];

  expect(before).toMatchObject({ outputBasis: 'GUESSED', tokenizerExact: false, liveUsd: null });
  expect(before.caveats.join(' ')).toContain('PRICES');
  expect(after).toMatchObject({ outputBasis: 'HISTORY' });
  expect(Math.abs(after.inputTokens.expected / usage.inputTokens - 1)).toBeLessThan(0.001);
  expect(Math.abs(after.outputTokens.expected / usage.outputTokens - 1)).toBeLessThan(0.001);
  const other = await quote({ ...input, models: ['mine/another'] });
  expect(other.models[0].outputBasis).toBe('HISTORY');
  const width = ({ low, high }: any) => high - low;
  expect(width(other.models[0].outputTokens)).toBeGreaterThan(width(after.outputTokens));

  // Longer texts have less of the schema, which this server leaves out.
  const longer = { ...input, source: { texts: texts.map((text) => text.repeat(20)) } };
  const [quoted] = (await quote(longer)).models;
  const billedTokens = (await run(longer)).usage.inputTokens;
  expect(quoted.inputTokens.low).toBeLessThanOrEqual(billedTokens);
  expect(quoted.inputTokens.high).toBeGreaterThanOrEqual(billedTokens);
});

it('knows from its preview how long the answers of a batch are', async () => {
  bill(() => JSON.stringify({ name: 'A name that is longer than anybody guessed. '.repeat(4) }));
  const schema = { type: 'object', properties: { name: { type: 'string' } }, title: 'Previewed' };
  const operation = { extract: { model: 'mine/small', schema } };
  const submitted = await stubs.app.graphql(
    'mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    { input: { operation, source: { texts }, preview: 12 } },
  );
  const { id } = submitted.data?.submitBatch.batch ?? {};
  const previewed = await until(
    async () => {
      const { data } = await stubs.app.graphql(
        `query ($id: ID!) { batch(id: $id) { status usage { outputTokens } quote { ${fields} } } }`,
        { id },
      );
      return data?.batch.quote?.outputBasis === 'PREVIEW' ? data.batch : null;
    },
    { deadlineMs: 10_000, what: 'the quote by the preview' },
  );

  const { status, usage, quote: made } = previewed;
  expect(status).toBe('PAUSED');
  expect(made.outputTokens.expected).toBe((usage.outputTokens / 12) * texts.length);
  expect(made.caveats.join(' ')).not.toContain('guess');
  const [other] = (await quote({ operation, source: { texts } })).models;
  expect(other).toMatchObject({ outputBasis: 'HISTORY' });
});

it('samples a large file the same way each time, with a range that holds the whole', async () => {
  const words = 'the parcel that you sent me did not come and nobody answers my letters'.split(' ');
  const rows = Array.from(
    { length: 5_000 },
    (_, index) => `${words.slice(0, 1 + ((index * 7) % words.length)).join(' ')} ${index}`,
  );
  const form = new FormData();
  form.append('file', new Blob([rows.join('\n')]), 'rows.txt');
  const file = (await (
    await fetch(`${stubs.app.url}/files`, { method: 'POST', body: form })
  ).json()) as { id: string };
  const input = {
    operation: { label: { categories } },
    source: { fileId: file.id },
    models: ['openai/gpt-4.1-mini', 'anthropic/claude-sonnet-5'],
  };
  const [first, second] = [await quote(input), await quote(input)];

  expect(second).toEqual(first);
  expect(first).toMatchObject({ items: 5_000, sampledItems: 2_000, identicalItems: 0 });
  const exact = first.models[0].inputTokens;
  const all = await Promise.all(
    [0, 2_500].map((from) =>
      quote({
        ...input,
        models: ['openai/gpt-4.1-mini'],
        source: { texts: rows.slice(from, from + 2_500) },
      }),
    ),
  );
  const whole = all.reduce((sum, { models }) => sum + models[0].inputTokens.expected, 0);
  expect(Math.abs(exact.expected / whole - 1)).toBeLessThan(0.01);
  expect(exact.low).toBeLessThan(exact.expected);
  expect(first.models[1]).toMatchObject({
    model: 'anthropic/claude-sonnet-5',
    tokenizerExact: false,
  });
});

it('tells identical, unaskable and too long items', async () => {
  const items = [
    ...Array.from({ length: 10 }, () => ({ content: 'the same', metadata: { topic: 'a' } })),
    { content: 'without a topic' },
    { content: 'word '.repeat(3_000), metadata: { topic: 'b' } },
  ];
  const operation = {
    label: { categories, userPromptTemplate: '{topic}: {content}', model: 'mine/small' },
  };
  const quoted = await quote({ operation, source: { items } });

  expect(quoted).toMatchObject({
    items: 12,
    sampledItems: 12,
    unaskableItems: 1,
    identicalItems: 9,
  });
  expect(quoted.models[0]).toMatchObject({ tooLongItems: 1 });
  const ran = await quote({
    operation: { run: { model: 'mine/small', instructions: 'Say yes.' } },
    source: { items },
  });
  expect(ran.identicalItems).toBeNull();
});

it('refuses an unknown model, too many of them, and an unknown file', async () => {
  const ask = (input: Record<string, unknown>) =>
    stubs.app.graphql('query ($input: QuoteInput!) { quote(input: $input) { items } }', { input });
  const operation = { label: { categories } };
  const unknown = await ask({
    operation,
    source: { texts },
    models: ['openai/gpt-4o', 'nobody/x'],
  });
  const many = await ask({ operation, source: { texts }, models: Array(11).fill('mine/x') });
  const file = await ask({ operation, source: { fileId: 'file_00000000000000000000' } });

  expect(unknown.errors?.[0]?.extensions.issues[0].path).toBe('input.models.1');
  expect(many.errors?.[0]?.extensions.issues[0].path).toBe('input.models');
  expect(file.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
});

it('counts and prices identical items once, where the operation asks them once', async () => {
  const rows = Array.from({ length: 3_000 }, (_, index) => `parcel ${index % 300} is not here`);
  const operation = { label: { categories } };
  const form = new FormData();
  form.append('file', new Blob([`text\n${rows.join('\n')}\n`]), 'r.csv');
  const file = (await (
    await fetch(`${stubs.app.url}/files`, { method: 'POST', body: form })
  ).json()) as { id: string };
  const distinct = await quote({ operation, source: { texts: rows.slice(0, 300) } });
  const doubled = await quote({ operation, source: { fileId: file.id }, contentField: 'text' });

  expect(doubled).toMatchObject({ items: 3_000, identicalItems: 2_700, sampledItems: 2_000 });
  const [one, other] = [distinct.models[0], doubled.models[0]];
  expect(Math.abs(other.inputTokens.expected / one.inputTokens.expected - 1)).toBeLessThan(0.001);
  expect(other.outputTokens).toEqual(one.outputTokens);
  expect(Math.abs(other.liveUsd.expected / one.liveUsd.expected - 1)).toBeLessThan(0.001);

  // Every row of `run` is asked.
  const run = { instructions: 'Say yes.' };
  const [few, all] = await Promise.all(
    [rows.slice(0, 300), rows.slice(0, 600)].map((texts) =>
      quote({ operation: { run }, source: { texts } }),
    ),
  );
  expect(all.models[0].inputTokens.expected).toBe(2 * few.models[0].inputTokens.expected);
});

it('leaves out blank rows once, though they are identical as well', async () => {
  const rows = Array.from({ length: 3_000 }, (_, index) => `parcel ${index} is not here`);
  const operation = { label: { categories } };
  const form = new FormData();
  const cells = rows.map((text, index) => `${index},${text}\n${index}b,`);
  form.append('file', new Blob([`id,text\n${cells.join('\n')}\n`]), 'r.csv');
  const file = (await (
    await fetch(`${stubs.app.url}/files`, { method: 'POST', body: form })
  ).json()) as { id: string };
  const items = rows.flatMap((content) => [{ content }, { content: '' }]);
  const [full, half, inline] = await Promise.all([
    quote({ operation, source: { texts: rows } }),
    quote({ operation, source: { fileId: file.id }, contentField: 'text' }),
    quote({ operation, source: { items } }),
  ]);

  expect(full).toMatchObject({ items: 3_000, unaskableItems: 0, identicalItems: 0 });
  for (const one of [half, inline]) {
    expect(one).toMatchObject({ items: 6_000, identicalItems: 2_999 });
    // How many rows are blank is known from 2,000 of them.
    const ratio = one.models[0].liveUsd.expected / full.models[0].liveUsd.expected;
    expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
  }
});

it('guesses what a model thinks until it has answered itself', async () => {
  bill(() => JSON.stringify({ label: categories[0], confidence: 0.95 }));
  const operation = { label: { categories: [...categories, 'thanks'] } };
  const input = { operation, source: { texts: texts.slice(0, 20) } };
  await run(input);
  const models = ['openai/gpt-5-mini', 'openai/gpt-4.1-mini'];
  const [thinking, plain] = (await quote({ ...input, models })).models;

  expect(thinking).toMatchObject({
    outputBasis: 'GUESSED',
    caveats: ['The model thinks before it answers; run a preview.'],
  });
  const { expected, high } = thinking.outputTokens;
  expect(high / expected).toBeCloseTo(20, 0);
  expect(plain.outputBasis).toBe('FIXED');

  await run({ ...input, operation: { label: { ...operation.label, model: models[0] } } });
  const [known] = (await quote({ ...input, models })).models;
  expect(known).toMatchObject({ outputBasis: 'HISTORY', caveats: [] });
});

it('takes the limit of a request of its own, and tells of another model only where one is named', async () => {
  const request = (body: Record<string, unknown>) => ({
    messages: [{ role: 'user', content: 'Say yes.' }],
    ...body,
  });
  let chat = {};
  const quoted = async (...bodies: Record<string, unknown>[]) => {
    const form = new FormData();
    const lines = bodies.map((body) => JSON.stringify(request(body)));
    form.append('file', new Blob([lines.join('\n')]), 'requests.jsonl');
    const file = (await (
      await fetch(`${stubs.app.url}/files`, { method: 'POST', body: form })
    ).json()) as { id: string };
    return (await quote({ operation: { chat }, source: { fileId: file.id } })).models[0];
  };
  const named = { model: 'gpt-4.1-mini' };
  const [short, newer, mixed, other] = [
    await quoted({ ...named, max_tokens: 17 }),
    await quoted({ ...named, max_completion_tokens: 17 }),
    await quoted({ max_tokens: 17 }, {}),
    await quoted(named, { model: 'gpt-4.1' }),
  ];

  const caveat = 'Requests that name another model are counted and priced as this one.';
  expect(short.outputTokens).toEqual({ expected: 17, low: 17, high: 17 });
  expect(newer.outputTokens).toEqual(short.outputTokens);
  expect(mixed.outputTokens).toEqual({ expected: 317, low: 137, high: 767 });
  for (const { caveats } of [short, newer, mixed]) expect(caveats).not.toContain(caveat);
  expect(other.caveats).toContain(caveat);
  chat = { maxOutputTokens: 40 }; // in place of each request's own
  expect((await quoted({ max_tokens: 17 })).outputTokens).toMatchObject({ expected: 40, high: 40 });
});

describe('the first request of a quote', () => {
  const firstOf = async (input: Record<string, unknown>) => {
    const { data, errors } = await stubs.app.graphql(
      'query ($input: QuoteInput!) { quote(input: $input) { models { model firstRequest } } }',
      { input },
    );
    if (!data) throw new Error(JSON.stringify(errors));
    return data.quote.models.map(({ firstRequest }: any) => firstRequest);
  };

  it('is what is sent for the first item, of each model', async () => {
    const bodies: unknown[] = [];
    stubs.stub.reply(({ body }) => {
      bodies.push(body);
      return { body: completion('{"label": "praise", "confidence": 0.9}') };
    });
    const input = {
      operation: { label: { categories, temperature: 0.5 } },
      source: { items: [{ content: 'the first one' }] },
    };
    const [first, other] = await firstOf({
      ...input,
      models: ['openai/gpt-4.1-mini', 'mine/small'],
    });
    const batch = await run(input);
    const { data } = await stubs.app.graphql(
      '{ batches(first: 1) { edges { node { quote { firstRequest } } } } }',
    );

    expect(batch.status).toBe('COMPLETED');
    expect(bodies).toEqual([first]);
    expect(first).toMatchObject({ model: 'gpt-4.1-mini', temperature: 0.5 });
    expect(JSON.stringify(first)).toContain('the first one');
    expect(other).toMatchObject({ model: 'small', temperature: 0.5 });
    expect(data?.batches.edges[0].node.quote.firstRequest).toEqual(first);
  });

  it('takes its text from the column that the quote names', async () => {
    const form = new FormData();
    form.append('file', new Blob(['text,note\nthe text,the note\n']), 'rows.csv');
    const response = await fetch(`${stubs.app.url}/files`, { method: 'POST', body: form });
    const { id: fileId } = (await response.json()) as { id: string };
    const operation = { label: { categories, userPromptTemplate: 'Say: {content}' } };
    const [first] = await firstOf({ operation, source: { fileId }, contentField: 'note' });

    expect(first.messages.at(-1)).toEqual({ role: 'user', content: 'Say: the note' });
  });

  it('is null where the first item cannot be asked', async () => {
    const items = [{ content: 'without' }, { content: 'with', metadata: { topic: 'a' } }];
    const operation = { label: { categories, userPromptTemplate: '{topic}: {content}' } };

    expect(await firstOf({ operation, source: { items } })).toEqual([null]);
  });
});

it('finds complete requests that are equal where each of them is to be asked once', async () => {
  const ask = (content: string) => ({ messages: [{ role: 'user', content }] });
  const input = {
    operation: { chat: {} },
    source: { requests: [ask('one'), ask('two'), ask('one')] },
  };

  const each = await quote(input);
  const once = await quote({ ...input, deduplicate: true });

  expect(each.identicalItems).toBeNull();
  expect(once.identicalItems).toBe(1);
  expect(once.models[0].inputTokens.expected).toBeLessThan(each.models[0].inputTokens.expected);
});
