import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { labelOptions, submitMutation } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const labelMutation = `mutation Label($items: [ItemInput!]!, $options: LabelOptions!) {
  label(items: $items, options: $options) { results { label error { code } } }
}`;
const items = [{ content: 'good' }];

const label = (variables: Record<string, unknown>) =>
  app.graphql(labelMutation, { items, options: labelOptions, ...variables });
const submit = (input: Record<string, unknown>) =>
  app.graphql(submitMutation, {
    input: { operation: { label: labelOptions }, source: { texts: ['good'] }, ...input },
  });

type Answer = Awaited<ReturnType<typeof label>>;

/** The paths of the issues of one BAD_USER_INPUT, in order. */
function issuePaths({ errors, data }: Answer): string[] {
  expect(data ?? null).toBeNull();
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  const issues: { path: string; message: string }[] = errors?.[0]?.extensions.issues;
  for (const { message } of issues) expect(message).not.toBe('');
  return issues.map(({ path }) => path);
}

const codes = ({ errors }: Answer) => errors?.map(({ extensions }) => extensions.code);

describe('items and options', () => {
  it.each([
    ['no items', { items: [] }, ['items']],
    ['51 items', { items: Array(51).fill({ content: 'x' }) }, ['items']],
    ['one category', { options: { categories: ['a'] } }, ['options.categories']],
    ['no category', { options: { categories: [] } }, ['options.categories']],
    ['a category twice', { options: { categories: ['a', 'b', 'a'] } }, ['options.categories.2']],
    ['temperature 3', { options: { ...labelOptions, temperature: 3 } }, ['options.temperature']],
    ['temperature -1', { options: { ...labelOptions, temperature: -1 } }, ['options.temperature']],
    [
      'no output tokens',
      { options: { ...labelOptions, maxOutputTokens: 0 } },
      ['options.maxOutputTokens'],
    ],
    [
      'a model of an unknown provider',
      { options: { ...labelOptions, model: 'nobody/model' } },
      ['options.model'],
    ],
    [
      'a model without a provider',
      { options: { ...labelOptions, model: 'gpt-4.1' } },
      ['options.model'],
    ],
    [
      'a model that its provider does not have',
      { options: { ...labelOptions, model: 'test/none' } },
      ['options.model'],
    ],
    [
      'a template that names a field which no item has',
      { options: { ...labelOptions, userPromptTemplate: '{content} {nowhere}' } },
      ['options.userPromptTemplate'],
    ],
    [
      'a template with a lone brace',
      { options: { ...labelOptions, userPromptTemplate: '{content' } },
      ['options.userPromptTemplate'],
    ],
    [
      'a custom id twice',
      {
        items: [
          { content: 'x', customId: 'a' },
          { content: 'y', customId: 'a' },
        ],
      },
      ['items.1.customId'],
    ],
    [
      'a custom id that is the index of another item',
      { items: [{ content: 'x', customId: '1' }, { content: 'y' }] },
      ['items.1.customId'],
    ],
    [
      'a custom id given twice but for white space',
      {
        items: [
          { content: 'x', customId: 'a' },
          { content: 'y', customId: 'a\u00a0' },
        ],
      },
      ['items.1.customId'],
    ],
    ['a blank custom id', { items: [{ content: 'x', customId: ' ' }] }, ['items.0.customId']],
    ['an empty custom id', { items: [{ content: 'x', customId: '' }] }, ['items.0.customId']],
    [
      'a custom id of 513 characters',
      { items: [{ content: 'x', customId: 'i'.repeat(513) }] },
      ['items.0.customId'],
    ],
    [
      'everything at once',
      {
        items: [
          { content: 'x', customId: 'a' },
          { content: 'y', customId: 'a' },
        ],
        options: { categories: ['a'], temperature: 3 },
      },
      ['items.1.customId', 'options.categories', 'options.temperature'],
    ],
  ])('%s is refused with its place', async (_what, variables, paths) => {
    const answer = await label(variables);

    expect(issuePaths(answer)).toEqual(paths);
    expect(answer.status).toBe(200);
  });

  it('an answer schema that is none is refused with its place', async () => {
    const extract = (options: object) =>
      app.graphql(
        'mutation($options: ExtractOptions!) { extract(items: [{content: "x"}], options: $options) { model } }',
        { options },
      );

    expect(issuePaths(await extract({ schema: { name: 'nonsense' } }))).toEqual([
      'options.schema.name',
    ]);
    expect(issuePaths(await extract({}))).toEqual(['options.schema']);
    expect(
      issuePaths(await extract({ schema: { type: 'object', properties: { a: { type: 5 } } } }))[0],
    ).toMatch(/^options\.schema/);
  });

  it('the same problems in submitBatch have their place in its input', async () => {
    const operation = { label: { categories: ['a'], temperature: 3, model: 'nobody/model' } };

    const answer = await submit({
      operation,
      source: { texts: ['a\u0000'] },
      name: 'n'.repeat(201),
      idempotencyKey: '',
      expiresInSeconds: 0,
    });

    expect(issuePaths(answer)).toEqual([
      'input.operation.label.categories',
      'input.operation.label.temperature',
      'input.source.texts.0',
      'input.name',
      'input.idempotencyKey',
      'input.expiresInSeconds',
    ]);
    expect(
      issuePaths(await submit({ operation: { label: { ...labelOptions, model: 'nobody/m' } } })),
    ).toEqual(['input.operation.label.model']);
    expect(
      issuePaths(
        await submit({ operation: { label: { ...labelOptions, userPromptTemplate: '{x}' } } }),
      ),
    ).toEqual(['input.operation.label.userPromptTemplate']);
    expect(issuePaths(await submit({ source: { items: [] } }))).toEqual(['input.source.items']);
    expect(issuePaths(await submit({ source: { texts: [] } }))).toEqual(['input.source.texts']);
  });

  it('10,001 items are PAYLOAD_TOO_LARGE, and the message says where more go', async () => {
    const texts = await submit({ source: { texts: Array(10_001).fill('x') } });
    const whole = await submit({ source: { items: Array(10_001).fill({ content: 'x' }) } });

    for (const answer of [texts, whole]) {
      expect(codes(answer)).toEqual(['PAYLOAD_TOO_LARGE']);
      expect(answer.errors?.[0]?.message).toMatch(/at most 10000 inline items.*file/);
    }
  });

  it('a large bad input gets a small answer', async () => {
    const answer = await submit({ source: { items: Array(10_000).fill({ content: '\u0000' }) } });

    expect(issuePaths(answer)).toHaveLength(50);
  });
});

describe('variables of the wrong shape', () => {
  it.each([
    ['an unknown field', { items: [{ content: 'x', contents: 'y' }] }, ['items.0.contents']],
    ['a missing field', { items: [{ customId: 'x' }] }, ['items.0.content']],
    ['a null where none may be', { items: [{ content: null }] }, ['items.0.content']],
    ['a number for a string', { items: [{ content: 5 }] }, ['items.0.content']],
    ['a string for an object', { options: 'x' }, ['options']],
    ['a list for an object', { options: [] }, ['options']],
    ['a float for an integer', { options: { ...labelOptions, seed: 1.5 } }, ['options.seed']],
    ['a list for a JSON object', { items: [{ content: 'x', metadata: [] }] }, ['items.0.metadata']],
    ['a missing variable', { items: undefined }, ['items']],
    ['a null variable', { items: null, options: null }, ['items', 'options']],
    [
      'several at once',
      { items: [{}, { content: 1 }], options: { temperature: 'hot' } },
      ['items.0.content', 'items.1.content', 'options.categories', 'options.temperature'],
    ],
  ])('%s is refused with its place', async (_what, variables, paths) => {
    expect(issuePaths(await label(variables))).toEqual(paths);
  });

  it('a @oneOf with two keys, none, or a null is refused, in variables and in literals', async () => {
    const { data: _, ...two } = { data: 1, label: labelOptions, run: { instructions: 'x' } };

    expect(issuePaths(await submit({ operation: two }))).toEqual(['input.operation']);
    expect(issuePaths(await submit({ operation: {}, source: {} }))).toEqual([
      'input.operation',
      'input.source',
    ]);
    expect(issuePaths(await submit({ source: { texts: null } }))).toEqual(['input.source']);
    expect(issuePaths(await submit({ source: { texts: ['a'], items } }))).toEqual(['input.source']);
    for (const operation of ['{label: {categories: ["a", "b"]}, run: {}}', '{}', '{label: null}']) {
      const literal = await app.graphql(
        `mutation { submitBatch(input: {operation: ${operation}, source: {texts: ["a"]}}) { batch { id } } }`,
      );
      expect(codes(literal)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    }
  });

  it('a null in a variable inside a @oneOf is refused with the field it is for', async () => {
    const answer = await app.graphql(
      'mutation($label: LabelOptions) { submitBatch(input: {operation: {label: $label}, source: {texts: ["a"]}}) { batch { id } } }',
      { label: null },
    );

    expect(issuePaths(answer)).toEqual(['submitBatch']);
  });

  it('an unknown field, a missing one, and a wrong enum value in literals have a code and a position', async () => {
    for (const argument of [
      'items: [{content: "x", nope: 1}], options: {categories: ["a", "b"]}',
      'items: [{}], options: {categories: ["a", "b"]}',
      'items: [{content: 5}], options: {categories: ["a", "b"]}',
      'items: [{content: "x"}]',
    ]) {
      const { errors } = await app.graphql(`mutation { label(${argument}) { model } }`);
      expect(errors?.[0]).toMatchObject({
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
        locations: [{ line: 1 }],
      });
    }
  });

  it('messages about variables do not repeat their values', async () => {
    const { errors } = await label({ items: [{ content: { secret: 'abc-secret' } }] });

    expect(JSON.stringify(errors)).not.toContain('abc-secret');
  });
});

describe('text that cannot be kept', () => {
  const nul = 'a\u0000b';
  const lone = 'a\ud800b';

  it.each([
    [
      'content',
      { items: [{ content: nul }, { content: lone }] },
      ['items.0.content', 'items.1.content'],
    ],
    [
      'custom ids',
      {
        items: [
          { content: 'x', customId: nul },
          { content: 'x', customId: lone },
        ],
      },
      ['items.0.customId', 'items.1.customId'],
    ],
    [
      'metadata values',
      {
        items: [
          { content: 'x', metadata: { a: { b: [nul] } } },
          { content: 'x', metadata: { c: lone } },
        ],
      },
      ['items.0.metadata.a.b.0', 'items.1.metadata.c'],
    ],
    [
      'metadata keys',
      { items: [{ content: 'x', metadata: { a: { [nul]: 1, [lone]: 2 } } }] },
      ['items.0.metadata.a', 'items.0.metadata.a'],
    ],
    [
      'categories',
      { options: { categories: [nul, lone] } },
      ['options.categories.0', 'options.categories.1'],
    ],
    [
      'prompts',
      {
        options: {
          ...labelOptions,
          systemPrompt: nul,
          instructions: lone,
          userPromptTemplate: nul,
        },
      },
      ['options.instructions', 'options.systemPrompt', 'options.userPromptTemplate'],
    ],
    [
      'JSON in options',
      { options: { ...labelOptions, extraBody: { a: [lone] } } },
      ['options.extraBody.a.0'],
    ],
  ])('NUL and lone surrogates are refused by name: %s', async (_where, variables, paths) => {
    expect(issuePaths(await label(variables)).sort()).toEqual(paths);
  });

  it('and in a batch’s name, metadata, idempotency key, and in filters', async () => {
    expect(
      issuePaths(await submit({ name: nul, metadata: { a: lone }, idempotencyKey: nul })).sort(),
    ).toEqual(['input.idempotencyKey', 'input.metadata.a', 'input.name']);
    expect(
      issuePaths(
        await app.graphql('query($n: String) { batches(filter: {name: $n}) { totalCount } }', {
          n: nul,
        }),
      ),
    ).toEqual(['filter.name']);
  });

  it('a whole number that JSON readers round is refused, in variables and in literals', async () => {
    const big = '{"items": [{"content": "x", "metadata": {"id": 9007199254740993}}]}';
    const variables = { options: labelOptions, ...JSON.parse(big) };
    const literal =
      'mutation { run(items: [{content: "x", metadata: {id: 9007199254740993}}], options: {instructions: "x"}) { model } }';
    const infinite =
      'mutation { run(items: [{content: "x", metadata: {id: 1e999}}], options: {instructions: "x"}) { model } }';

    expect(issuePaths(await label(variables))).toEqual(['items.0.metadata.id']);
    expect(issuePaths(await app.graphql(literal))).toEqual(['items.0.metadata.id']);
    expect(codes(await app.graphql(infinite))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
  });
});

describe('lists', () => {
  it.each([
    ['first: 5000', 'first'],
    ['first: 1000000', 'first'],
    ['first: 0', 'first'],
    ['first: -1', 'first'],
    ['last: -1', 'last'],
    ['last: 1001', 'last'],
    ['first: 1, last: 1', 'last'],
    ['after: "x"', 'after'],
    ['after: ""', 'after'],
    ['after: "-1"', 'after'],
    ['after: "01"', 'after'],
    ['before: "9999999999999999999"', 'before'],
  ])('%s is refused with its place', async (argument, path) => {
    expect(issuePaths(await app.graphql(`{ batches(${argument}) { totalCount } }`))).toEqual([
      path,
    ]);
  });

  it('a cursor or an index beyond everything is the end of the list, not a fault', async () => {
    const id = await idOf(submit({ autoStart: false }));
    const far = '999999999999999999';

    const { data, errors } = await app.graphql(
      `query($id: ID!) { batch(id: $id) { after: items(after: "${far}") { edges { cursor } pageInfo { startCursor endCursor } } before: items(before: "${far}") { edges { cursor } } } }`,
      { id },
    );

    expect(errors).toBeUndefined();
    expect(data?.batch.after).toEqual({
      edges: [],
      pageInfo: { startCursor: null, endCursor: null },
    });
    expect(data?.batch.before.edges).toHaveLength(1);
  });

  it('filters of items are checked: too many custom ids, unstorable ones', async () => {
    const id = await idOf(submit({ autoStart: false }));
    const find = (customIds: string[]) =>
      app.graphql(
        'query($id: ID!, $customIds: [String!]) { batch(id: $id) { items(customIds: $customIds) { totalCount } } }',
        { id, customIds },
      );

    expect(issuesUnder(await find(Array(1_001).fill('x')))).toEqual(['customIds']);
    expect(issuesUnder(await find(['\u0000']))).toEqual(['customIds.0']);
  });

  it.each([
    '"nope"',
    '5',
    '"2026-02-30T00:00:00Z"',
    '"2026-01-01T00:00:00"',
    '"0000-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59-05:00"',
  ])('%s is no instant', async (instant) => {
    const literal = await app.graphql(
      `{ batches(filter: {createdAfter: ${instant}}) { totalCount } }`,
    );
    const variable = await app.graphql(
      'query($at: DateTime) { batches(filter: {createdAfter: $at}) { totalCount } }',
      { at: JSON.parse(instant) },
    );

    expect(codes(literal)).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect(issuePaths(variable)).toEqual(['at']);
  });
});

describe('ids', () => {
  const unknown = [
    'x',
    '',
    'batch_',
    `batch_${'0'.repeat(25)}`,
    `batch_${'0'.repeat(24)}\n`,
    `item_${'0'.repeat(25)}_0`,
    'batch_%00',
    'é',
  ];

  it('queries answer null, mutations NOT_FOUND, routes 404, whatever is wrong with the id', async () => {
    for (const id of unknown) {
      const read = await app.graphql(
        'query($id: ID!) { batch(id: $id) { id } node(id: $id) { id } }',
        { id },
      );
      expect(read.errors).toBeUndefined();
      expect(read.data).toEqual({ batch: null, node: null });
      for (const mutation of ['startBatch', 'cancelBatch']) {
        const answer = await app.graphql(
          `mutation($id: ID!) { ${mutation}(id: $id) { batch { id } } }`,
          { id },
        );
        expect(codes(answer)).toEqual(['NOT_FOUND']);
      }
      if (id === '') continue; // another address
      const route = await fetch(`${app.url}/batches/${encodeURIComponent(id)}/output`);
      expect(route.status).toBe(404);
      expect(await route.json()).toMatchObject({ error: { code: 'NOT_FOUND' } });
    }
  });
});

async function idOf(submitted: Promise<Answer>): Promise<string> {
  return (await submitted).data?.submitBatch.batch.id;
}

/** For a field under a nullable one, whose data stays. */
function issuesUnder({ errors }: Answer): string[] {
  expect(codes({ errors, status: 0 })).toEqual(['BAD_USER_INPUT']);
  return errors?.[0]?.extensions.issues.map(({ path }: { path: string }) => path);
}
