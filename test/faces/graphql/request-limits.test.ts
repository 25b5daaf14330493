/**
 * What one request may ask for: told with what would be right, and wide enough for what people ask.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { labelOptions, submitMutation, submitTexts, subscribe } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

it('fifty items of 100 kB are answered at once', async () => {
  const items = Array.from({ length: 50 }, (_, index) => ({
    content: `good ${index} ${'x'.repeat(100_000)}`,
  }));

  const { data, errors } = await app.graphql(
    `mutation($items: [ItemInput!]!) {
       label(items: $items, options: {categories: ["good", "bad"]}) { results { label error { code } } } }`,
    { items },
  );

  expect(errors).toBeUndefined();
  expect(data?.label.results).toEqual(Array(50).fill({ label: 'good', error: null }));
});

it('operations whose prompts have over 16,000,000 characters together are refused before they are sent', async () => {
  const { sandbox } = app;
  sandbox.requests.clear();
  const template = '{content}'.repeat(999);

  const { data, errors } = await app.graphql(
    `mutation($few: [ItemInput!]!, $many: [ItemInput!]!, $template: String) {
       few: run(items: $few, options: {userPromptTemplate: $template}) { results { error { code } } }
       many: run(items: $many, options: {userPromptTemplate: $template}) { model } }`,
    {
      few: [{ content: 'x'.repeat(100) }],
      many: Array(2).fill({ content: 'x'.repeat(8_000) }),
      template,
    },
  );

  expect(data).toBeNull();
  expect(errors).toMatchObject([{ path: ['many'], extensions: { code: 'PAYLOAD_TOO_LARGE' } }]);
  expect(errors?.[0]?.message).toMatch(
    /^The prompts of this request must have at most 16,000,000 characters together, not 16,08\d,\d{3}; submitBatch takes more$/,
  );
  expect(sandbox.requests.count).toBe(1);
});

it('a subscription that costs more than a query may is refused when it starts', async () => {
  const id = await submitTexts(app, ['good'], { autoStart: false });
  const fields = Array.from({ length: 340 }, (_, at) => `f${at}: content`).join(' ');

  const events = subscribe(
    app.socket(),
    `subscription($id: ID!) { batchProgress(id: $id) { items(first: 1000) { edges { node { ${fields} } } } } }`,
    { id },
  );
  await events.ended();

  expect(events.all).toEqual([]);
  expect(events.errors.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^batchProgress: the query must cost at most 300000, not \d+/),
  ]);
});

it('a query of too many words says that values go into variables', async () => {
  const { errors } = await app.graphql(
    `mutation { label(items: [${'{content: "a"} '.repeat(6_000)}], options: {categories: ["a", "b"]}) { model } }`,
  );

  expect(errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    issues: [
      {
        path: 'query',
        message: 'must have at most 20,000 words and signs; put values into variables',
      },
    ],
  });
});

it('a name that is quoted in an error is cut, and many errors are counted', async () => {
  const variables = Array.from({ length: 100 }, (_, at) => `$${'v'.repeat(900)}${at}: Int`);

  const { errors } = await app.graphql(`query Long(${variables.join(' ')}) { __typename }`);

  const text = JSON.stringify(errors);
  expect(text.length).toBeLessThan(22_000);
  expect(text).toContain(`${'v'.repeat(99)}`);
  expect(text).not.toContain('v'.repeat(101));
});

/** Options of 4 MB. */
const longOptions = {
  operation: {
    label: {
      categories: ['good', 'bad'],
      systemPrompt: 'x'.repeat(1_000_000),
      instructions: 'x'.repeat(1_000_000),
      userPromptTemplate: `{content}${'x'.repeat(999_000)}`,
      categoryDescriptions: { good: 'x'.repeat(999_000) },
    },
  },
};

describe('what is stored with a batch', () => {
  it.each([
    ['metadata', { metadata: { a: 'x'.repeat(100_000) } }, 'input.metadata', '100,000'],
    [
      'options',
      {
        operation: {
          label: {
            ...longOptions.operation.label,
            categoryDescriptions: { good: 'x'.repeat(999_000), bad: 'x'.repeat(999_000) },
          },
        },
      },
      'input.operation.label',
      '4,194,304',
    ],
  ])('is refused where the %s are too large', async (_what, input, path, bytes) => {
    const { errors } = await app.graphql(submitMutation, {
      input: { operation: { label: labelOptions }, source: { texts: ['good'] }, ...input },
    });

    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path, message: `must have at most ${bytes} bytes as JSON` }],
    });
  });

  it('cuts a page of batches whose options are too large together, and says behind which', async () => {
    for (let count = 0; count < 5; count += 1) {
      await submitTexts(app, ['good'], { ...longOptions, name: 'long', autoStart: false });
    }
    const page = (first: number, after: string | null) =>
      app.graphql(
        `query($first: Int, $after: String) { batches(filter: {name: "long"}, first: $first, after: $after) {
           edges { node { id } } pageInfo { hasNextPage } } }`,
        { first, after },
      );

    const { errors } = await page(5, null);
    const cursor = errors?.[0]?.extensions.cursor;
    const rest = await page(5, cursor);
    const before = await page(4, null);

    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      cursor: expect.any(String),
    });
    expect(rest.data?.batches.edges).toHaveLength(1);
    expect(before.data?.batches).toMatchObject({
      edges: { length: 4 },
      pageInfo: { hasNextPage: true },
    });
  });
});

describe('what a request may be sent in all', () => {
  /** A draft over one row of 3 MB in a million characters; a thousand other rows were refused. */
  let batch: string;
  beforeAll(async () => {
    const refused = Array.from({ length: 1_000 }, () => ',x').join('\n');
    const response = await fetch(`${app.url}/files?name=rows.csv&customIdField=id`, {
      method: 'POST',
      body: `id,text\nr,${'日'.repeat(1_000_000)}\n${refused}\n`,
    });
    const { id: fileId } = (await response.json()) as { id: string };
    batch = await submitTexts(app, [], { source: { fileId }, autoStart: false });
  });

  const aliases = (count: number, field: string) =>
    Array.from({ length: count }, (_, at) => `${field[0]}${at}: ${field}`).join(' ');
  const ask = async (contents: number, rejections: number) => {
    const { errors } = await app.graphql(
      `query($id: ID!) { batch(id: $id) {
         items(first: 1) { edges { node { id ${aliases(contents, 'content')} } } }
         file { id ${aliases(rejections, 'rejections { row }')} } } }`,
      { id: batch },
    );
    return errors?.map(({ extensions }) => extensions);
  };
  const tooLarge = [{ code: 'PAYLOAD_TOO_LARGE', cursor: null, requestId: expect.any(String) }];

  it('is counted in bytes', async () => {
    expect(await ask(11, 0)).toBeUndefined();
    expect(await ask(12, 0)).toEqual(tooLarge);
  });

  it('is shared by texts and by what was refused of files', async () => {
    expect(await ask(11, 0)).toBeUndefined();
    expect(await ask(0, 15)).toBeUndefined();
    expect(await ask(11, 15)).toEqual(expect.arrayContaining(tooLarge));
  });

  it('is shared by the options and the metadata of batches', async () => {
    const metadata = { a: 'x'.repeat(99_000) };
    const id = await submitTexts(app, ['good'], { ...longOptions, metadata, autoStart: false });
    const query = (options: number, metadata: number) =>
      `query($id: ID!) { batch(id: $id) { id ${aliases(options, 'options')} ${aliases(metadata, 'metadata')} } }`;

    expect((await app.graphql(query(8, 8), { id })).errors).toBeUndefined();
    expect((await app.graphql(query(8, 20), { id })).errors?.[0]?.extensions).toMatchObject(
      tooLarge[0] as object,
    );
  });

  it('is 48 MB as JSON, whatever it is made of', async () => {
    const id = await submitTexts(app, ['"'.repeat(3_500_000)], { autoStart: false });
    const batchOf = (count: number) =>
      `(id: $id) { items(first: 1) { edges { node { id ${aliases(count, 'content')} } } } }`;
    const told = [
      {
        message: 'The answer must have at most 48 MB; ask for fewer fields, or for smaller pages',
        extensions: { code: 'PAYLOAD_TOO_LARGE' },
      },
    ];

    const within = await app.graphql(`query($id: ID!) { batch${batchOf(7)} }`, { id });
    const beyond = await app.graphql(`query($id: ID!) { batch${batchOf(8)} }`, { id });
    const events = subscribe(
      app.socket(),
      `subscription($id: ID!) { batchProgress${batchOf(8)} }`,
      { id },
    );
    await until(() => events.errors.length > 0, { deadlineMs: 5_000, what: 'an event' });
    events.stop();

    expect(within.errors).toBeUndefined();
    expect(beyond).toMatchObject({ data: null, errors: told });
    expect(events.errors).toMatchObject(told);
  });

  it('has 250,000 values in lists that no page bounds', async () => {
    const query = (count: number) =>
      `query($id: ID!) { batch(id: $id) { file { ${aliases(count, `rejections { ${aliases(50, 'row')} }`)} } } }`;

    expect((await app.graphql(query(4), { id: batch })).errors).toBeUndefined();
    expect((await app.graphql(query(6), { id: batch })).errors?.[0]).toMatchObject({
      message: expect.stringContaining('at most 250,000 values'),
      extensions: { code: 'PAYLOAD_TOO_LARGE' },
    });
  });
});
