/** Items found by their answers and by their text, and the least sure first. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { textOf } from '../../engine/worker/support.ts';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion } from '../../support/stub-provider.ts';
import { type Data, submitTexts, untilEnded } from './support.ts';

const keys = { anna: 'anna-key-0123456789abcdefgh', ben: 'ben-key-0123456789abcdefghij' };
const anna = { authorization: `Bearer ${keys.anna}` };
const ben = { authorization: `Bearer ${keys.ben}` };

let app: App;
beforeAll(async () => {
  const started = await startStubApp((stub) => ({
    API_KEYS: `anna:${keys.anna},ben:${keys.ben}`,
    PROVIDERS: JSON.stringify({ stub: { baseURL: stub.url } }),
  }));
  app = started.app;
  // Each text ends with the answer that it gets.
  started.stub.reply(({ body }) => ({
    body: completion(/ => (.*)$/s.exec(textOf(body))?.[1] ?? 'a summary'),
  }));
});
afterAll(() => app.stop());

async function ask(query: string, variables: Data, headers = anna): Promise<Data> {
  const { data, errors } = await app.graphql(query, variables, headers);
  if (!data || errors) throw new Error(JSON.stringify(errors));
  return data;
}

const itemArgs = `$status: [ItemStatus!], $customIds: [String!], $labels: [String!], $confidenceBelow: Float,
  $confidenceFrom: Float, $search: String, $orderBy: ItemOrder, $fromIndex: Int, $first: Int, $after: String,
  $last: Int, $before: String`;
const passed = itemArgs.replace(/\$(\w+): [^,]+/g, '$1: $$$1');
const itemsQuery = `query ($id: ID!, ${itemArgs}) { batch(id: $id) { items(${passed}) {
  totalCount searchedTo pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  edges { cursor node { id index } }
} } }`;

async function items(id: string, args: Data, headers = anna): Promise<Data> {
  return (await ask(itemsQuery, { id, ...args }, headers)).batch.items;
}

async function indexes(id: string, args: Data): Promise<number[]> {
  const { edges, totalCount, searchedTo } = await items(id, args);
  const found = edges.map(({ node }: Data) => node.index);
  expect([totalCount, searchedTo]).toEqual([found.length, null]);
  return found;
}

async function issuesOf(id: string, args: Data): Promise<Data[]> {
  const { errors } = await app.graphql(itemsQuery, { id, ...args }, anna);
  expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  return errors?.[0]?.extensions.issues;
}

async function run(operation: Data, texts: readonly string[]): Promise<string> {
  const id = await submitTexts(app, texts, { headers: anna, operation, deduplicate: false });
  await untilEnded(app, id, anna);
  return id;
}

const odd = 'it\'s "odd" \\ 100%_é';
const categories = ['praise', 'complaint', odd, 'praise of others'];
const answer = (label: string | null, confidence: number | null) =>
  `text => ${JSON.stringify({ label, confidence })}`;

describe('a label batch', () => {
  let id: string;
  beforeAll(async () => {
    id = await run({ label: { categories, allowNone: true } }, [
      answer('praise', 0.9),
      answer('complaint', 0.6),
      answer(odd, 0.2),
      answer('praise', null),
      answer(null, 0.6),
      answer('praise of others', 1),
      'text => this is not JSON',
      answer('complaint', 0),
    ]);
  });

  const claims = () =>
    it.each([
      [{ labels: ['praise'] }, [0, 3]],
      [{ labels: [odd, 'complaint'] }, [1, 2, 7]],
      [{ labels: ['nobody has it', 'text', 'label'] }, []],
      [{ labels: [] }, []],
      [{ labels: Array.from({ length: 1_000 }, (_, n) => (n === 7 ? 'praise' : `${n}`)) }, [0, 3]],
      [{ confidenceBelow: 0.6 }, [2, 7]],
      [{ confidenceFrom: 0.6 }, [0, 1, 4, 5]],
      [{ confidenceFrom: 0.2, confidenceBelow: 0.9 }, [1, 2, 4]],
      [{ confidenceFrom: 0 }, [0, 1, 2, 4, 5, 7]],
      [{ confidenceBelow: 0 }, []],
      [{ labels: ['complaint'], confidenceBelow: 0.5 }, [7]],
      [{ labels: ['praise'], status: ['FAILED'] }, []],
      [{ labels: ['praise'], customIds: ['3', '1'] }, [3]],
      [{ search: 'not json', status: ['FAILED'] }, [6]],
      [{ orderBy: 'CONFIDENCE' }, [7, 2, 1, 4, 0, 5]],
      [{ orderBy: 'CONFIDENCE', status: ['FAILED'] }, []],
      [{ orderBy: 'CONFIDENCE', labels: ['praise', 'complaint'] }, [7, 1, 0]],
      [{ orderBy: 'CONFIDENCE', confidenceFrom: 0.3, search: 'COMPLAINT' }, [1]],
      [{ orderBy: 'CONFIDENCE', customIds: ['5', '4', '3'] }, [4, 5]],
    ] as [Data, number[]][])('has with %j the items %j', async (args, expected) => {
      expect(await indexes(id, args)).toEqual(expected);
    });

  claims();

  it('is paged by confidence, forwards and backwards, by cursors and by ids', async () => {
    const order = [7, 2, 1, 4, 0, 5];
    const page = async (args: Data) => {
      const { edges, pageInfo } = await items(id, { orderBy: 'CONFIDENCE', ...args });
      return { of: edges.map(({ node }: Data) => node.index), edges, pageInfo };
    };
    const first = await page({ first: 3 });
    const second = await page({ first: 2, after: first.pageInfo.endCursor });
    const third = await page({ first: 2, after: second.pageInfo.endCursor });
    const back = await page({ last: 2, before: second.pageInfo.startCursor });
    const byId = await page({ first: 9, after: first.edges[2].node.id });

    expect([first.of, second.of, third.of]).toEqual([
      order.slice(0, 3),
      order.slice(3, 5),
      order.slice(5),
    ]);
    expect(first.pageInfo).toMatchObject({ hasPreviousPage: false, hasNextPage: true });
    expect(third.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: false });
    expect(back.of).toEqual([2, 1]);
    expect(back.pageInfo).toMatchObject({ hasPreviousPage: true, hasNextPage: true });
    expect(byId.of).toEqual(order.slice(3));
  });

  it.each([
    [{ confidenceBelow: 1.1 }, 'confidenceBelow'],
    [{ confidenceFrom: -0.1 }, 'confidenceFrom'],
    [{ search: '' }, 'search'],
    [{ search: 'x'.repeat(201) }, 'search'],
    [{ search: 'a\0b' }, 'search'],
    [{ labels: Array.from({ length: 1_001 }, String) }, 'labels'],
    [{ fromIndex: 1, orderBy: 'CONFIDENCE' }, 'orderBy'],
    [{ after: '3', orderBy: 'CONFIDENCE' }, 'after'],
    [{ after: '600000000.1' }, 'after'],
  ])('refuses %j', async (args, path) => {
    expect((await issuesOf(id, args)).map((issue) => issue.path)).toEqual([path]);
  });

  it('refuses the id of an item without a confidence as a place in the order of confidence', async () => {
    const { edges } = await items(id, { fromIndex: 3, first: 1 });
    const issues = await issuesOf(id, { orderBy: 'CONFIDENCE', after: edges[0].node.id });

    expect(issues).toMatchObject([{ path: 'after' }]);
  });

  it('is not there for another owner', async () => {
    const other = await ask(
      'query ($id: ID!) { batch(id: $id) { items(search: "text") { totalCount } } }',
      { id },
      ben,
    );

    expect(other).toEqual({ batch: null });
  });

  describe('from before confidences had a column', () => {
    beforeAll(async () => {
      const db = openDatabase(app.databaseUrl, { maxConnections: 1 });
      await db.sql`update results set confidence = null`;
      await db.close();
    });

    claims();
  });
});

it('a batch with several labels an item has an item for each of its labels', async () => {
  const many = (labels: string[]) => `text => ${JSON.stringify({ labels, confidence: 0.5 })}`;
  const id = await run({ label: { categories, multiLabel: true } }, [
    many(['praise', odd]),
    many(['complaint']),
    many([]),
    many(['praise of others', 'praise']),
  ]);

  expect(await indexes(id, { labels: ['praise'] })).toEqual([0, 3]);
  expect(await indexes(id, { labels: [odd, 'complaint'] })).toEqual([0, 1]);
  expect(await indexes(id, { labels: ['labels'] })).toEqual([]);
});

it('an operation without labels refuses them, and has no confidences', async () => {
  const id = await run({ summarize: {} }, ['a text', 'another text']);

  expect(await issuesOf(id, { labels: [] })).toEqual([
    { path: 'labels', message: 'must be absent: summarize gives no labels' },
  ]);
  expect(await indexes(id, { confidenceFrom: 0 })).toEqual([]);
  expect(await indexes(id, { orderBy: 'CONFIDENCE' })).toEqual([]);
});

describe('a search', () => {
  async function draftOver(name: string, body: string): Promise<string> {
    const upload = await fetch(`${app.url}/files?name=${name}`, {
      method: 'POST',
      headers: anna,
      body,
    });
    const { id: fileId } = (await upload.json()) as { id: string };
    return await submitTexts(app, [], {
      headers: anna,
      source: { fileId },
      autoStart: false,
    });
  }

  it('finds what rows have between the escapes of JSON, and nothing that is half an escape', async () => {
    const rows = [
      'Hello "World", 100% sure',
      'a line\nice cream',
      'C:\\new\\nice',
      'Ärger_x',
      'plain, \u0001 tab\there',
    ];
    const csv = `text,note\n${rows.map((row) => `"${row.replaceAll('"', '""')}",x`).join('\n')}\n`;
    const jsonl = rows.map((text) => JSON.stringify({ text, note: 'x' })).join('\n');
    const inline = await submitTexts(app, rows, { headers: anna, autoStart: false });
    for (const id of [await draftOver('a.csv', csv), await draftOver('a.jsonl', jsonl), inline]) {
      expect(await indexes(id, { search: '"world"' })).toEqual([0]);
      expect(await indexes(id, { search: '100%' })).toEqual([0]);
      expect(await indexes(id, { search: '0%s' })).toEqual([]);
      expect(await indexes(id, { search: 'line\nice' })).toEqual([1]);
      expect(await indexes(id, { search: '\n' })).toEqual([1]);
      expect(await indexes(id, { search: 'NICE' })).toEqual([2]);
      expect(await indexes(id, { search: '\\new\\' })).toEqual([2]);
      expect(await indexes(id, { search: 'ärger_X' })).toEqual([3]);
      expect(await indexes(id, { search: 'there' })).toEqual([]);
      expect(await indexes(id, { search: '\there' })).toEqual([4]);
    }
  });

  it('finds letters that JSON has escaped, and no digits of their escapes', async () => {
    const lines = [
      String.raw`{"text": "caf\u00e9, \u00C9cole", "note": "x"}`,
      String.raw`{"text": "a\/b <\u0042>", "note": "\u006eice"}`,
      String.raw`{"text": "\ud83d\ude00 smile\u000a", "note": "\u4f60\u597d"}`,
      String.raw`{"text": "no escape: \\u00e9", "note": "plain caf\\"}`,
    ];
    const id = await draftOver('escaped.jsonl', lines.join('\n'));

    expect(await indexes(id, { search: 'café' })).toEqual([0]);
    expect(await indexes(id, { search: 'CAFÉ, école' })).toEqual([0]);
    expect(await indexes(id, { search: 'a/b <b>' })).toEqual([1]);
    expect(await indexes(id, { search: 'nice' })).toEqual([1]);
    expect(await indexes(id, { search: '😀 SMILE\n' })).toEqual([2]);
    expect(await indexes(id, { search: '好' })).toEqual([2]);
    expect(await indexes(id, { search: 'caf' })).toEqual([0, 3]);
    expect(await indexes(id, { search: '\\u00E9' })).toEqual([3]);
    expect(await indexes(id, { search: '0E9' })).toEqual([3]);
    expect(await indexes(id, { search: 'é'.repeat(200) })).toEqual([]);
  });

  it('goes through any number of rows, forwards and backwards', async () => {
    const rows = Array.from({ length: 45_000 }, (_, n) => (n % 15_000 === 14_999 ? 'rare' : 'x'));
    const id = await draftOver('many.txt', rows.join('\n'));
    const page = async (args: Data) => {
      const { edges, ...others } = await items(id, { search: 'RARE', ...args });
      return { of: edges.map(({ node }: Data) => node.index), ...others };
    };

    expect(await page({ first: 10 })).toMatchObject({
      of: [14_999, 29_999, 44_999],
      totalCount: 3,
      searchedTo: null,
      pageInfo: { hasNextPage: false },
    });
    expect(await page({ first: 1, after: '14999' })).toMatchObject({
      of: [29_999],
      pageInfo: { hasNextPage: true, endCursor: '29999' },
    });
    expect(await page({ last: 2 })).toMatchObject({
      of: [29_999, 44_999],
      pageInfo: { hasPreviousPage: true, startCursor: '29999' },
    });
    expect(await page({ last: 10, before: '30000' })).toMatchObject({ of: [14_999, 29_999] });
    expect(await page({ first: 10, fromIndex: 40_000 })).toMatchObject({ of: [44_999] });
  });
});
