/**
 * Numbers that a user may take for a row: what was refused or skipped leaves a gap, and joins by
 * position stay right.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { type App, startApp } from '../../support/app.ts';
import { readOutput, submitMutation, untilEnded } from '../graphql/support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const refusedRow = await readFile(new URL('../../cases/refused-row.csv', import.meta.url), 'utf8');
const operation = { label: { categories: ['positive', 'negative'] } };

async function upload(body: string, query: string): Promise<Record<string, any>> {
  const response = await fetch(`${app.url}/files?${query}`, { method: 'POST', body });
  const answer = (await response.json()) as Record<string, any>;
  expect(answer.error).toBeUndefined();
  return answer;
}

async function submit(fileId: string, input: Record<string, unknown> = {}): Promise<string> {
  const { data } = await app.graphql(submitMutation, {
    input: { operation, source: { fileId }, ...input },
  });
  return data?.submitBatch.batch.id;
}

async function itemsOf(id: string, filter = ''): Promise<Record<string, any>[]> {
  const { data } = await app.graphql(
    `query ($id: ID!) { batch(id: $id) { items ${filter} { edges { node { index row customId content } } } } }`,
    { id },
  );
  return data?.batch.items.edges.map(({ node }: { node: object }) => node);
}

const numbered = [
  { index: 0, row: 1, customId: '0' },
  { index: 1, row: 3, customId: '2' },
  { index: 2, row: 4, customId: '3' },
];

describe('a file of which a row was refused', () => {
  it.each([
    ['CSV', 'name=x.csv&contentField=review', refusedRow],
    [
      'JSON',
      'name=x.json&contentField=review',
      '[{"review": "I love it"}, {"stars": 1}, {"review": "Great stuff"}, {"review": "Horrible"}]',
    ],
    ['JSON of strings', 'name=x.json', '["I love it", 7, "Great stuff", "Horrible"]'],
    [
      'JSONL',
      'name=x.jsonl',
      '{"review": "I love it"}\n\n{"review": "Great stuff"}\n{"review": "Horrible"}\n',
    ],
    [
      'JSONL with bad lines',
      'name=x.jsonl',
      '{"review": "I love it"}\n{"review": \n{"review": "Great stuff"}\n{"review": "Horrible"}\n',
    ],
    ['text', 'name=x.txt', 'I love it\na\0b\nGreat stuff\nHorrible\n'],
  ])('of %s numbers its items by their rows', async (_name, query, body) => {
    const { id: fileId } = await upload(body, query);
    const id = await submit(fileId);
    await untilEnded(app, id);

    const items = await itemsOf(id);
    expect(items).toMatchObject(numbered);
    expect(items[1]?.content).toContain('Great stuff');
    expect(
      (await readOutput(app.url, id, 'format=jsonl'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ index, row, custom_id }) => ({ index, row, customId: custom_id })),
    ).toEqual(numbered);
    const array = JSON.parse(await readOutput(app.url, id, 'format=json&include=input'));
    expect(array.map(({ row }: { row: number }) => row)).toEqual([1, 3, 4]);
    expect(array[1].content).toContain('Great stuff');
    for (const format of ['openai_jsonl', 'anthropic_jsonl']) {
      expect(
        (await readOutput(app.url, id, `format=${format}`)).match(/"custom_id":"[^"]*"/g),
      ).toEqual(['"custom_id":"0"', '"custom_id":"2"', '"custom_id":"3"']);
    }
  });

  it('gives the row to a CSV output that asks for it', async () => {
    const { id: fileId } = await upload(refusedRow, 'name=x.csv&contentField=review');
    const id = await submit(fileId);
    await untilEnded(app, id);

    const plain = await readOutput(app.url, id, 'format=csv');
    const withRow = await readOutput(app.url, id, 'format=csv&include=row');
    const { data } = await app.graphql(
      'query ($id: ID!) { batch(id: $id) { with: outputUrl(format: CSV, includeRow: true) without: outputUrl(format: CSV) } }',
      { id },
    );

    expect(plain.split('\n')[0]).toMatch(/^review,stars,label,/);
    expect(withRow.split('\n').map((line) => line.split(',').slice(0, 4).join())).toEqual([
      'review,stars,row,label',
      'I love it,5,1,positive',
      'Great stuff,5,3,positive',
      'Horrible,1,4,negative',
      '',
    ]);
    expect(await (await fetch(data?.batch.with)).text()).toBe(withRow);
    expect(await (await fetch(data?.batch.without)).text()).toBe(plain);
  });

  it('keeps a column called row beside the number', async () => {
    const { id: fileId } = await upload('row,text\nmine,a\n', 'name=x.csv');
    const id = await submit(fileId);
    await untilEnded(app, id);

    expect(
      (await readOutput(app.url, id, 'format=csv&include=row')).split('\n').slice(0, 2),
    ).toEqual([
      expect.stringMatching(/^row,text,row_2,label,/),
      expect.stringMatching(/^mine,a,1,/),
    ]);
  });

  it('finds items by the ids that they have by their rows, with and without a prefix', async () => {
    const { id: fileId } = await upload(refusedRow, 'name=x.csv&contentField=review');
    const plain = await submit(fileId);
    const prefixed = await submit(fileId, { customIdPrefix: 'p-', customIdField: '' });
    await untilEnded(app, plain);
    await untilEnded(app, prefixed);

    expect(await itemsOf(plain, '(customIds: ["1", "2", "3", "4"])')).toMatchObject(
      numbered.slice(1),
    );
    expect(await itemsOf(prefixed, '(customIds: ["p-2", "2", "p-1"])')).toEqual([
      { index: 1, row: 3, customId: 'p-2', content: 'Great stuff' },
    ]);
  });

  it('retries the item that an id stands for', async () => {
    const remove = app.sandbox.faults.add({ fault: { kind: 'refusal' } });
    const { id: fileId } = await upload(refusedRow, 'name=x.csv&contentField=review');
    const id = await submit(fileId);
    await untilEnded(app, id);
    remove();

    const { data } = await app.graphql(
      'mutation ($id: ID!) { retryBatch(id: $id, customIds: ["1", "2"]) { retriedItems } }',
      { id },
    );

    expect(data?.retryBatch.retriedItems).toBe(1);
    expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: 1, failed: 2 } });
    const record = JSON.parse(await readOutput(app.url, id, 'status=succeeded'));
    expect(record).toMatchObject({ row: 3, custom_id: '2' });
  });

  it('numbers the rows of a batch that takes its ids from another column', async () => {
    const body = 'ref,review\na,I love it\nb,Worst,ever\n,Great stuff\nd,Horrible\n';
    const { id: fileId } = await upload(body, 'name=x.csv&contentField=review');
    const id = await submit(fileId, { customIdField: 'ref' });
    await untilEnded(app, id);

    expect(await itemsOf(id)).toMatchObject([
      { row: 1, customId: 'a' },
      { row: 3, customId: '2' },
      { row: 4, customId: 'd' },
    ]);
    expect(await itemsOf(id, '(customIds: ["2", "1"])')).toMatchObject([{ index: 1, row: 3 }]);
  });

  it('names the rows whose ids come twice at submit', async () => {
    const body = 'ref,review\na,I love it\nb,Worst,ever\nx,Great stuff\nx,Horrible\n';
    const { id: fileId } = await upload(body, 'name=x.csv&contentField=review');
    const id = await submit(fileId, { customIdField: 'ref' });
    await untilEnded(app, id);

    const { data } = await app.graphql('query ($id: ID!) { batch(id: $id) { error errorCode } }', {
      id,
    });
    expect(data?.batch).toEqual({
      errorCode: 'DUPLICATE_CUSTOM_ID',
      error: expect.stringContaining('rows 3 and 4 both have "x"'),
    });
  });

  it('keeps the first 1,000 refusals', async () => {
    const body = `text,n\n${'a,b,c\n'.repeat(1_200)}a,b\n`;
    const answer = await upload(body, 'name=x.csv');
    const { data } = await app.graphql(
      'query ($id: ID!) { file(id: $id) { rejectedCount rejections { row } } files(first: 1) { edges { node { rejections { row } } } } }',
      { id: answer.id },
    );

    expect(answer).toMatchObject({ rejectedCount: 1_200 });
    expect(answer.rejections).toHaveLength(1_000);
    expect(data?.file.rejectedCount).toBe(1_200);
    expect(data?.file.rejections.at(-1)).toEqual({ row: 1_000 });
    expect(data?.files.edges[0].node.rejections).toHaveLength(1_000);
    const id = await submit(answer.id);
    expect(await itemsOf(id)).toEqual([{ index: 0, row: 1_201, customId: '1200', content: 'a' }]);
  });
});

describe('the refusals of many files', () => {
  const query = `query ($first: Int!) { files(first: $first) { edges { node { id rejections { row reason } } } } }`;

  it('come with the files that they are of', async () => {
    const ids = [];
    for (const row of [1, 2, 3]) {
      const { id } = await upload(`text,n\n${'a,b\n'.repeat(row - 1)}a\na,b\n`, 'name=x.csv');
      ids.unshift({ id, rejections: [expect.objectContaining({ row })] });
    }
    const { data } = await app.graphql(query, { first: 3 });

    expect(data?.files.edges.map(({ node }: { node: object }) => node)).toEqual(ids);
  });

  it('are refused where they are too much for one answer', async () => {
    const db = openDatabase(app.databaseUrl);
    const rejections = JSON.stringify(
      Array.from({ length: 1_000 }, (_, row) => ({ row, reason: 'x'.repeat(300) })),
    );
    await db.sql`
      insert into files (id, owner, listed, name, format, size_bytes, item_count, columns, rejections)
      select 'file_' || n, 'local', true, 'x', 'CSV', 1, 1, '[]', ${rejections} from generate_series(1, 100) n`;

    const many = await app.graphql(query, { first: 100 });
    const few = await app.graphql(query, { first: 20 });
    await db.sql`delete from files where name = 'x'`;
    await db.close();

    expect(many.errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE');
    expect(few.errors).toBeUndefined();
    expect(few.data?.files.edges.at(-1).node.rejections).toHaveLength(1_000);
  });
});

describe('items without a file', () => {
  it('have no row, and their index as id', async () => {
    const { data } = await app.graphql(submitMutation, {
      input: { operation, source: { texts: ['a', 'b'] } },
    });
    const id = data?.submitBatch.batch.id;
    await untilEnded(app, id);

    expect(await itemsOf(id)).toMatchObject([
      { index: 0, row: null, customId: '0' },
      { index: 1, row: null, customId: '1' },
    ]);
    expect(JSON.parse((await readOutput(app.url, id, '')).split('\n')[1] ?? '')).toMatchObject({
      row: null,
      custom_id: '1',
    });
    expect((await readOutput(app.url, id, 'format=csv&include=row')).split('\n')[1]).toMatch(
      /^0,a,,/,
    );
  });
});

it('a file of an older server keeps its indexes as ids, and has no rows', async () => {
  const { id: fileId } = await upload('text\na\nb\n', 'name=x.csv');
  const db = openDatabase(app.databaseUrl);
  await db.sql`update files set encoding = null where id = ${fileId}`;
  await db.close();
  const id = await submit(fileId);

  expect(await itemsOf(id)).toMatchObject([
    { index: 0, row: null, customId: '0' },
    { index: 1, row: null, customId: '1' },
  ]);
});
