/** What pages with long lists read: beginnings of texts, drawn rows, and places in the middle. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { type Data, labelOptions, submitTexts, untilEnded } from './support.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const benKey = 'ben-key-0123456789abcdefghij';
const anna = { authorization: `Bearer ${annaKey}` };
const ben = { authorization: `Bearer ${benKey}` };

let app: App;
beforeAll(async () => {
  app = await startApp({ API_KEYS: `anna:${annaKey},ben:${benKey}` });
});
afterAll(() => app.stop());

async function ask(query: string, variables: Data = {}, headers = anna): Promise<Data> {
  const { data, errors } = await app.graphql(query, variables, headers);
  if (!data || errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function upload(text: string, name = 'rows.csv'): Promise<string> {
  const response = await fetch(`${app.url}/files?name=${name}`, {
    method: 'POST',
    headers: anna,
    body: text,
  });
  return ((await response.json()) as { id: string }).id;
}

const numbered = (rows: number) =>
  `text\n${Array.from({ length: rows }, (_, index) => `row ${index}`).join('\n')}\n`;

describe('excerpt', () => {
  async function excerptOf(text: string, characters: number | null): Promise<Data> {
    const id = await submitTexts(app, [text], { headers: anna, autoStart: false });
    const data = await ask(
      `query ($id: ID!, $characters: Int) {
        batch(id: $id) { items { edges { node { content excerpt(characters: $characters) } } } }
      }`,
      { id, characters },
    );
    return data.batch.items.edges[0].node;
  }

  it.each([
    ['has every run of white space as one blank', 'a\n\n \t b\u00a0\u2003c', 200, 'a b c'],
    ['has so many characters at most', 'abcdef', 3, 'abc'],
    ['goes on behind white space that is longer than it', `a${' '.repeat(500)}bc`, 3, 'a b'],
    ['leaves out a pair that does not fit whole', 'ab😀', 3, 'ab'],
    ['keeps a pair that fits whole', 'ab😀c', 4, 'ab😀'],
    ['is the text where that is shorter', 'ab', 1_000, 'ab'],
    ['has 200 characters where nothing is said', 'x'.repeat(300), null, 'x'.repeat(200)],
  ])('%s', async (_what, text, characters, expected) => {
    expect(await excerptOf(text, characters)).toEqual({ content: text, excerpt: expected });
  });

  it.each([0, 1_001])('of %d characters is refused', async (characters) => {
    await expect(excerptOf('a', characters)).rejects.toThrow(/BAD_USER_INPUT.*must be .*1,000/);
  });
});

describe('excerpts of rows that together are too much to read', () => {
  const rows = 190;
  const longText = (n: number) =>
    `${'\n \t'.repeat(50)}row ${n} "é" 😀\u00a0 ${'words and words '.repeat(6_000)}`;
  const texts = Array.from({ length: rows }, (_, n) => longText(n));
  const inCsv = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const files: [name: string, text: string, fields: Data][] = [
    [
      'long.csv',
      `id,text,other\n${texts.map((text, n) => `r-${n},${inCsv(text)},x`).join('\n')}\n`,
      { contentField: 'text', customIdField: 'id' },
    ],
    [
      'long.jsonl',
      texts.map((text, n) => JSON.stringify({ id: `r-${n}`, other: 'x', text })).join('\n'),
      { contentField: 'text', customIdField: 'id' },
    ],
    ['whole.jsonl', texts.map((text) => JSON.stringify({ one: text, two: '' })).join('\n'), {}],
    ['long.txt', texts.map((text) => text.replaceAll('\n', ' ')).join('\n'), {}],
  ];
  const query = (fields: string) => `query ($id: ID!, $first: Int) {
    batch(id: $id) { items(first: $first) { edges { node { ${fields} } } } } }`;

  it.each(files)('are read of %s, and are the same as of one row', async (name, text, fields) => {
    const fileId = await upload(text, name);
    const draft = { headers: anna, source: { fileId }, autoStart: false, ...fields };
    const id = await submitTexts(app, [], draft);

    const page = (await ask(query('customId excerpt(characters: 300)'), { id, first: rows })).batch
      .items.edges;
    const refused = await app.graphql(query('excerpt content'), { id, first: rows }, anna);
    const whole = (await ask(query('customId excerpt(characters: 300) content'), { id, first: 2 }))
      .batch.items.edges;

    expect(page).toHaveLength(rows);
    expect(refused.errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE');
    for (const [at, { node }] of whole.entries()) {
      const { content: _, ...asShown } = node;
      expect(page[at].node).toEqual(asShown);
    }
    expect(page[7].node.customId).toBe(fields.customIdField ? 'r-7' : '7');
    expect(page[7].node.excerpt).toContain(name === 'whole.jsonl' ? 'row 7 ' : 'row 7 "é" 😀 w');
  });
});

describe('items from an index', () => {
  let id: string;
  beforeAll(async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `good ${index}`);
    id = await submitTexts(app, texts, { headers: anna });
    await untilEnded(app, id, anna);
  });

  const items = (args: string) =>
    app.graphql(
      `query ($id: ID!) { batch(id: $id) { items(${args}) {
        totalCount pageInfo { hasPreviousPage hasNextPage endCursor } edges { node { index status } }
      } } }`,
      { id },
      anna,
    );

  it('begin with that item, and go on behind the page', async () => {
    const first = (await items('first: 3, fromIndex: 7')).data?.batch.items;
    const next = (await items(`first: 3, after: "${first.pageInfo.endCursor}"`)).data?.batch.items;

    expect(first.edges.map(({ node }: Data) => node)).toEqual(
      [7, 8, 9].map((index) => ({ index, status: 'SUCCEEDED' })),
    );
    expect(first).toMatchObject({
      totalCount: 20,
      pageInfo: { hasPreviousPage: true, hasNextPage: true },
    });
    expect(next.edges.map(({ node }: Data) => node.index)).toEqual([10, 11, 12]);
  });

  it('begin with the first item at 0, and are none behind the last', async () => {
    const first = (await items('first: 1, fromIndex: 0')).data?.batch.items;
    const none = (await items('fromIndex: 2147483647')).data?.batch.items;

    expect(first).toMatchObject({
      pageInfo: { hasPreviousPage: false },
      edges: [{ node: { index: 0 } }],
    });
    expect(none).toMatchObject({ totalCount: 20, edges: [], pageInfo: { endCursor: null } });
  });

  it.each([
    ['fromIndex: -1', 'fromIndex', 'must be 0 or more'],
    ['fromIndex: 1, after: "0"', 'after', 'must be absent when fromIndex is given'],
    ['fromIndex: 1, before: "9"', 'before', 'must be absent when fromIndex is given'],
    ['fromIndex: 1, last: 2', 'last', 'must be absent when fromIndex is given'],
  ])('are refused with %s', async (args, path, message) => {
    const { errors } = await items(args);

    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path, message }],
    });
  });
});

describe('a sample of a file', () => {
  const sample = async (id: string, args = '') =>
    (await ask(`query ($id: ID!) { file(id: $id) { sample${args} } }`, { id })).file.sample;

  it('is drawn from the whole file, in its order, the same for the same seed', async () => {
    const id = await upload(numbered(1_000));
    const rows: Data[] = await sample(id);
    const indexes = rows.map(({ text }) => Number(text.slice('row '.length)));

    expect(new Set(indexes).size).toBe(20);
    expect(indexes).toEqual(indexes.toSorted((one, other) => one - other));
    expect(indexes.at(-1)).toBeGreaterThan(500);
    expect(await sample(id, '(first: 20, seed: 0)')).toEqual(rows);
    expect(await sample(id, '(seed: 1)')).not.toEqual(rows);
    expect(await sample(id, '(first: 5, seed: -7)')).toHaveLength(5);
  });

  it('has every row where the file has no more', async () => {
    const id = await upload(numbered(3));

    expect(await sample(id, '(first: 100)')).toEqual([
      { text: 'row 0' },
      { text: 'row 1' },
      { text: 'row 2' },
    ]);
  });

  it('of 0 or more than 100 rows is refused', async () => {
    const id = await upload(numbered(3));

    await expect(sample(id, '(first: 0)')).rejects.toThrow('must be between 1 and 100');
    await expect(sample(id, '(first: 101)')).rejects.toThrow('must be at most 100');
  });
});

describe('batches over a file', () => {
  const list = async (fileId: string, headers = anna) =>
    (
      await ask(
        'query ($fileId: ID) { batches(filter: {fileId: $fileId}) { totalCount edges { node { id } } } }',
        { fileId },
        headers,
      )
    ).batches;

  it('are found by its id, by its owner alone', async () => {
    const [one, other] = [await upload(numbered(2)), await upload(numbered(2))];
    const answer = await ask(
      'mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
      { input: { operation: { label: labelOptions }, source: { fileId: one } } },
    );
    const id: string = answer.submitBatch.batch.id;

    expect(await list(one)).toEqual({ totalCount: 1, edges: [{ node: { id } }] });
    for (const [fileId, headers] of [
      [other, anna],
      [`file_${'7'.repeat(25)}`, anna],
      ['nonsense', anna],
      [one, ben],
    ] as const) {
      expect(await list(fileId, headers)).toEqual({ totalCount: 0, edges: [] });
    }
  });
});

it('the service says whose key a request came with', async () => {
  const query = '{ service { owner } }';

  expect(await ask(query)).toEqual({ service: { owner: 'anna' } });
  expect(await ask(query, {}, ben)).toEqual({ service: { owner: 'ben' } });
});
