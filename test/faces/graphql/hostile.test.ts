/** Requests that are made to hurt: deep, wide, multiplied, and random. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { labelOptions, post } from './support.ts';

let app: App;
let batchId: string;
beforeAll(async () => {
  app = await startApp();
  const { data } = await app.graphql(
    'mutation { submitBatch(input: {operation: {run: {instructions: "x"}}, source: {texts: ["a", "b"]}}) { batch { id } } }',
  );
  batchId = data?.submitBatch.batch.id;
});
afterAll(() => app.stop());

const levels = 100_000;
const deepList = `${'['.repeat(levels)}${']'.repeat(levels)}`;
const deepObject = `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const shallowerObject = `${'{"a":'.repeat(levels / 2)}1${'}'.repeat(levels / 2)}`;

describe('values nested 100,000 deep', () => {
  it.each([
    [
      'metadata',
      'JSONObject',
      'run(items: [{content: "x", metadata: $v}], options: {instructions: "x"}) { model }',
      'items.0.metadata',
    ],
    [
      'an answer schema',
      'JSONObject',
      'extract(items: [{content: "x"}], options: {schema: $v}) { model }',
      'options.schema',
    ],
    [
      'an extra body',
      'JSONObject',
      'run(items: [{content: "x"}], options: {instructions: "x", extraBody: $v}) { model }',
      'options.extraBody',
    ],
    [
      'an example',
      'JSON!',
      'enrich(items: [{content: "x"}], options: {fields: [{name: "a", examples: [$v]}]}) { model }',
      'options.fields.0.examples.0',
    ],
    [
      'a batch’s metadata',
      'JSONObject',
      'submitBatch(input: {operation: {run: {instructions: "x"}}, source: {texts: ["x"]}, metadata: $v}) { batch { id } }',
      'input.metadata',
    ],
  ])('are refused in %s', async (_where, type, mutation, path) => {
    const query = `mutation($v: ${type}) { ${mutation} }`;
    const answer = await post(
      app,
      // A longer schema costs more than a query may.
      `{"query": ${JSON.stringify(query)}, "variables": {"v": ${path === 'options.schema' ? shallowerObject : deepObject}}}`,
    );

    expect(answer.status).toBe(200);
    expect(answer.body.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path, message: expect.stringContaining('nested deeper') }],
    });
  });

  it('are refused where text belongs, without an echo', async () => {
    const query = 'query($id: ID!) { batch(id: $id) { id } }';
    const answer = await post(app, `{"query": "${query}", "variables": {"id": ${deepList}}}`);

    expect(answer.body.errors?.[0]?.extensions.issues).toEqual([
      { path: 'id', message: 'must be a string or a whole number' },
    ]);
  });

  it.each([
    ['a literal', `{ batches(filter: ${'['.repeat(levels)}${']'.repeat(levels)}) { totalCount } }`],
    ['a selection', `${'{a'.repeat(levels)}${'}'.repeat(levels)}`],
    ['a type', `query($a: ${'['.repeat(levels)}Int${']'.repeat(levels)}) { __typename }`],
  ])('are refused as %s', async (_what, query) => {
    const answer = await post(app, { query });

    expect(answer.body.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});

describe('documents that multiply', () => {
  const many = (size: number, one: (index: number) => string) =>
    Array.from({ length: size }, (_, index) => one(index)).join(' ');
  const doubling = (size: number) =>
    `{ service { ...f0 } } ${many(size, (n) => `fragment f${n} on Service { a${n}: limits { syncItems } ...f${n + 1} ... on Service { ...f${n + 1} } }`)} fragment f${size} on Service { version }`;
  const nesting = (size: number) =>
    `{ batches { edges { node { ...f0 } } } } ${many(size, (n) => `fragment f${n} on Batch { a: items { edges { node { batch { ...f${n + 1} } } } } b: items { edges { node { batch { ...f${n + 1} } } } } }`)} fragment f${size} on Batch { id }`;

  it.each([
    ['10,000 aliases', `{ ${many(10_000, (n) => `a${n}: service { version }`)} }`],
    ['10,000 aliases of __typename', `{ ${many(10_000, (n) => `a${n}: __typename`)} }`],
    ['10,000 times the same field', `{ ${many(10_000, () => 'service { version }')} }`],
    ['10,000 unknown fields', `{ ${many(10_000, (n) => `servise${n}`)} }`],
    ['10,000 directives', `{ __typename ${many(10_000, () => '@include(if: true)')} }`],
    ['10,000 variables', `query(${many(10_000, (n) => `$v${n}: Int`)}) { __typename }`],
    ['5,000 operations', many(5_000, (n) => `query q${n} { __typename }`)],
    [
      '1,000 mutations',
      `mutation { ${many(1_000, (n) => `a${n}: cancelBatch(id: "x") { batch { id } }`)} }`,
    ],
    [
      '400 mutations',
      `mutation { ${many(400, (n) => `a${n}: cancelBatch(id: "x") { batch { id } }`)} }`,
    ],
    [
      'a million tokens',
      `{ batches(filter: {status: [${'COMPLETED '.repeat(1_000_000)}]}) { totalCount } }`,
    ],
    ['2^18 fields by fragments', doubling(18)],
    ['2^60 fields by fragments', doubling(60)],
    ['2^30 lists by fragments', nesting(30)],
    ['a cycle of fragments', '{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }'],
    [
      'circular introspection',
      `{ __schema { types { ${'fields { type { '.repeat(5)}name${' } }'.repeat(5)} } } }`,
    ],
    [
      'pages of pages',
      '{ batches(first: 1000) { edges { node { items(first: 1000) { edges { node { content } } } } } } }',
    ],
  ])('%s are refused in a small answer', async (_what, query) => {
    const answer = await post(app, { query });

    expect(answer.status).toBe(200);
    expect(answer.text.length).toBeLessThan(1_000);
    expect(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT']).toContain(
      answer.body.errors?.[0]?.extensions.code,
    );
    const { data } = answer.body;
    expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
  });

  it('what is too costly is told with its cost, at its field', async () => {
    const answer = await post(app, {
      query:
        '{ wide: batches(first: 1000) { edges { node { items(first: 1000) { edges { node { content } } } } } } }',
    });

    expect(answer.body.errors?.[0]?.extensions.issues).toEqual([
      {
        path: 'wide',
        message: expect.stringMatching(/must cost at most 300000, not \d+; ask for smaller pages/),
      },
    ]);
  });
});

it('several hundred random requests are never a fault of the server', async () => {
  const random = seeded(20_261_121);
  const documents = [
    'query Q($id: ID!, $first: Int, $after: String) { batch(id: $id) { id counts { total } items(first: $first, after: $after, status: [PENDING]) { totalCount edges { cursor node { id index customId content metadata output error { code } usage { costUsd } } } pageInfo { endCursor } } } }',
    'query Q($first: Int, $last: Int, $after: String, $before: String, $filter: BatchFilter) { batches(first: $first, last: $last, after: $after, before: $before, filter: $filter) { totalCount edges { node { id options metadata errorSummary { code } } } } }',
    'query Q($id: ID!) { node(id: $id) { id ... on BatchItem { index request: content } } service { version models { id } limits { pageSize } } }',
    'mutation Q($items: [ItemInput!]!, $options: RunOptions!) { run(items: $items, options: $options) { model results { text error { code message } } } }',
    'mutation Q($items: [ItemInput!]!, $labels: LabelOptions!) { label(items: $items, options: $labels) { model results { label error { code message } } } }',
    'mutation Q($items: [ItemInput!]!, $schema: JSONObject) { extract(items: $items, options: {schema: $schema}) { model results { data error { code message } } } }',
    'mutation Q($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id status } } }',
  ];
  const good = (): Record<string, unknown> => ({
    id: batchId,
    first: 2,
    items: [{ content: 'good', customId: 'a', metadata: { k: 'v' } }],
    options: { instructions: 'Answer.' },
    labels: labelOptions,
    schema: { name: 'string' },
    filter: { name: 'x' },
    input: {
      operation: { label: labelOptions },
      source: { texts: ['good'] },
      metadata: { k: 'v' },
      autoStart: false,
    },
  });
  const nasty: unknown[] = [
    null,
    0,
    -1,
    1.5,
    5_000,
    2 ** 31,
    2 ** 53,
    1e308,
    '',
    ' ',
    'x',
    '\u0000',
    '\ud800',
    '\uffff',
    '0',
    '-1',
    '99999999999999999',
    '9'.repeat(40),
    "'; drop table batches; --",
    '$&',
    '{content}',
    '{',
    '%s',
    '../../..',
    'x'.repeat(10_000),
    true,
    [],
    [[]],
    [null],
    {},
    { a: 1 },
    { __typename: 'Batch' },
    JSON.parse(
      '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
    ),
    { toString: 1, valueOf: 2, hasOwnProperty: 3 },
    { type: 'object', properties: { a: { $ref: '#' } } },
    { $ref: '#/nowhere' },
    { '': '' },
    { 'a.b': 'string[]' },
  ];
  const statuses = new Set<number>();

  for (let round = 0; round < 400; round += 1) {
    const query = pick(documents, random);
    const variables = structuredClone(good());
    for (let change = 0; change <= random() * 3; change += 1) mutate(variables, nasty, random);
    const text = random() < 0.25 ? mutateText(query, random) : query;
    const answer = await post(
      app,
      { query: text, variables },
      {
        accept: pick(['application/json', 'application/graphql-response+json'], random),
      },
    );

    statuses.add(answer.status);
    const said = JSON.stringify({ round, text, variables }).slice(0, 2_000);
    expect(answer.status, said).toBeLessThan(500);
    for (const { extensions, message } of answer.body.errors ?? []) {
      expect(extensions?.code, said).toMatch(/^[A-Z_]+$/);
      expect(extensions.code, said).not.toBe('INTERNAL_SERVER_ERROR');
      expect(message, said).not.toMatch(/Unexpected error|select |node_modules/);
      if (extensions.code === 'BAD_USER_INPUT') {
        expect(extensions.issues.length, said).toBeGreaterThan(0);
      }
    }
  }

  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect([...statuses].sort()).toEqual([200, 400]);
});

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(values: readonly T[], random: () => number): T {
  return values[Math.floor(random() * values.length)] as T;
}

/** Puts something nasty somewhere into a value, or takes something out. */
function mutate(
  root: Record<string, unknown>,
  nasty: readonly unknown[],
  random: () => number,
): void {
  let at: Record<string, unknown> = root;
  for (;;) {
    const key = pick(Object.keys(at), random);
    const inner = at[key];
    if (
      typeof inner === 'object' &&
      inner !== null &&
      Object.keys(inner).length > 0 &&
      random() < 0.7
    ) {
      at = inner as Record<string, unknown>;
      continue;
    }
    const what = random();
    if (what < 0.15) delete at[key];
    else if (what < 0.3) at[`${key}x`] = structuredClone(pick(nasty, random));
    else at[key] = structuredClone(pick(nasty, random));
    return;
  }
}

function mutateText(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const length = Math.floor(random() * 6);
  const put = pick(
    [
      '',
      '{',
      '}',
      '(',
      '$',
      '@skip(if: true)',
      '...F',
      '"',
      '"""',
      '\u0000',
      '\ud800',
      '#',
      'null',
      '__schema { types { name } }',
    ],
    random,
  );
  return text.slice(0, at) + put + text.slice(at + length);
}
