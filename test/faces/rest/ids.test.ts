/**
 * Ids of a file: never given up in silence, so that answers never come back under other rows' ids.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { caseText } from '../graphql/case-support.ts';
import { submitMutation, untilEnded } from '../graphql/support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const emptyRow = caseText('ids-empty-row.csv');
const duplicate = caseText('ids-duplicate.csv');

type Body = Record<string, any>;

async function post(
  name: string,
  body: string,
  query = '',
): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${app.url}/files?name=${name}${query}`, { method: 'POST', body });
  return { status: response.status, body: (await response.json()) as Body };
}

async function form(name: string, body: string): Promise<{ status: number; body: Body }> {
  const fields = new FormData();
  fields.set('file', new Blob([body]), name);
  const response = await fetch(`${app.url}/files`, { method: 'POST', body: fields });
  return { status: response.status, body: (await response.json()) as Body };
}

async function uploadFile(name: string, body: string): Promise<Body> {
  const fields = new FormData();
  const query =
    'mutation ($file: Upload!) { uploadFile(file: $file) { file { id customIdField itemCount blankCount rejectedCount rejections { row reason } } } }';
  fields.set('operations', JSON.stringify({ query, variables: { file: null } }));
  fields.set('map', '{"0": ["variables.file"]}');
  fields.set('0', new Blob([body]), name);
  const headers = { 'graphql-preflight': '1' };
  const response = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body: fields });
  return (await response.json()) as Body;
}

async function idsOf(fileId: string): Promise<[string, string][]> {
  const { data } = await app.graphql(submitMutation, {
    input: {
      operation: { label: { categories: ['a', 'b'] } },
      source: { fileId },
      autoStart: false,
    },
  });
  const items = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { items { edges { node { customId content } } } } }',
    { id: data?.submitBatch.batch.id },
  );
  return items.data?.batch.items.edges.map(({ node }: Body) => [node.customId, node.content]);
}

const three = [
  ['1', 'I love it'],
  ['2', 'Worst ever'],
  ['3', 'Great stuff'],
];

describe('a column id', () => {
  it('keeps its ids although the last row is blank', async () => {
    for (const upload of [post, form]) {
      const { status, body } = await upload('ids.csv', emptyRow);

      expect([status, body.customIdField]).toEqual([201, 'id']);
      expect(body).toMatchObject({ itemCount: 3, blankCount: 1, rejectedCount: 0 });
      expect(await idsOf(body.id)).toEqual(three);
    }
    const { data } = await uploadFile('ids.csv', emptyRow);
    expect(data.uploadFile.file).toMatchObject({ customIdField: 'id', blankCount: 1 });
    expect(await idsOf(data.uploadFile.file.id)).toEqual(three);
  });

  it('refuses a file in which an id comes twice, and names the rows and the way out', async () => {
    const message = expect.stringMatching(
      /^Rows 3 and 4 have the same custom id, "3"; .*customIdField=/,
    );

    for (const upload of [post, form]) {
      const { status, body } = await upload('ids.csv', duplicate);
      expect([status, body.error]).toEqual([
        400,
        { code: 'BAD_USER_INPUT', message, requestId: expect.any(String) },
      ]);
    }
    const { errors } = await uploadFile('ids.csv', duplicate);
    expect(errors[0].extensions.issues).toEqual([{ path: 'file', message }]);

    const { status, body } = await post('ids.csv', duplicate, '&customIdField=');
    expect([status, body.customIdField]).toEqual([201, null]);
    expect((await idsOf(body.id)).map(([id]) => id)).toEqual(['0', '1', '2', '3']);
  });

  it('brings answers back under its own ids', async () => {
    const { body } = await post('ids.csv', emptyRow);
    const { data } = await app.graphql(submitMutation, {
      input: {
        operation: { label: { categories: ['positive', 'negative'] } },
        source: { fileId: body.id },
      },
    });
    const id = data?.submitBatch.batch.id;
    await untilEnded(app, id);
    const lines = await (await fetch(`${app.url}/batches/${id}/output`)).text();

    expect(
      lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ custom_id, output }) => [custom_id, output.label]),
    ).toEqual([
      ['1', 'positive'],
      ['2', 'negative'],
      ['3', 'positive'],
    ]);
  });
});

const long = 'x'.repeat(513);

describe('a row without an id in a column that has ids', () => {
  it.each([
    ['CSV', 'x.csv', 'id,text\n1,a\n,b\n3,c\n', 2],
    ['CSV, blank', 'x.csv', 'id,text\n1,a\n" \t",b\n3,c\n', 2],
    ['CSV, first', 'x.csv', 'id,text\n,b\n1,a\n3,c', 1],
    ['CSV, last', 'x.csv', 'id,text\n1,a\n3,c\n,b', 3],
    ['CSV, too long', 'x.csv', `id,text\n1,a\n${long},b\n3,c\n`, 2],
    ['CSV, called ID', 'x.csv', 'ID,text\n1,a\n,b\n3,c\n', 2],
    ['CSV, custom_id', 'x.csv', 'custom_id,text\n1,a\n\u00a0,b\n3,c\n', 2],
    ['JSON, absent', 'x.json', '[{"id":1,"text":"a"},{"text":"b"},{"id":3,"text":"c"}]', 2],
    [
      'JSON, null',
      'x.json',
      '[{"id":null,"text":"b"},{"id":"1","text":"a"},{"id":3,"text":"c"}]',
      1,
    ],
    [
      'JSON, an object',
      'x.json',
      '[{"id":1,"text":"a"},{"id":{},"text":"b"},{"id":3,"text":"c"}]',
      2,
    ],
    ['JSON, a string', 'x.json', '[{"id":1,"text":"a"},"b",{"id":3,"text":"c"}]', 2],
    ['JSONL', 'x.jsonl', '{"id":1,"text":"a"}\n{"id":" ","text":"b"}\n{"id":3,"text":"c"}', 2],
    ['JSONL, first', 'x.jsonl', '{"text":"b"}\n{"id":1,"text":"a"}\n{"id":3,"text":"c"}', 1],
    ['JSONL, in two lines', 'x.jsonl', '{"text":"b"}\n{"id":1,"text":"a"}', 1],
  ])('is refused by its number: %s', async (_name, name, file, row) => {
    const { status, body } = await post(name, file);

    expect([status, body.error]).toEqual([201, undefined]);
    expect(body.customIdField?.toLowerCase()).toMatch(/^(custom_)?id$/);
    expect(body.rejections).toEqual([
      { row, reason: expect.stringMatching(/custom id in "|so has no id/) },
    ]);
    expect(await idsOf(body.id)).toEqual(
      [
        ['1', 'a'],
        ['3', 'c'],
      ].slice(0, body.itemCount),
    );
  });
});

describe('ids that come twice', () => {
  it.each([
    [
      'in JSON',
      'x.json',
      '[{"id":"a","text":"1"},{"id":"b","text":"2"},{"id":"a","text":"3"}]',
      '1 and 3',
    ],
    ['in JSONL', 'x.jsonl', '{"id":"a","text":"1"}\n\n{"id":"a","text":"3"}\n', '1 and 3'],
    ['as a number and a text', 'x.json', '[{"id":7,"text":"1"},{"id":"7","text":"2"}]', '1 and 2'],
    ['with blanks around one', 'x.csv', 'id,text\n7,a\n8,b\n7 ,c\n', '1 and 3'],
    ['with other blanks', 'x.csv', 'id,text\n"\t7",a\n8,b\n7\u00a0,c\n', '1 and 3'],
    ['behind a refused row', 'x.csv', 'id,text\n7,a\n8,b,c\n7,d\n', '1 and 3'],
    ['in custom_id', 'x.csv', 'custom_id,text\n7,a\n7 ,b\n', '1 and 2'],
    [
      'in lines for chat',
      'x.jsonl',
      '{"custom_id":"a","body":{"messages":[]}}\n{"custom_id":"a","body":{"messages":[]}}\n',
      '1 and 2',
    ],
  ])('refuse the file: %s', async (_name, name, file, rows) => {
    const { status, body } = await post(name, file);

    expect([status, body.error?.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(body.error.message).toContain(`Rows ${rows} have the same custom id`);
    expect(body.error.message).toContain('customIdField=');
  });

  it('may differ in case, and in white space inside', async () => {
    const { status, body } = await post('x.csv', 'id,text\na,1\nA,2\na b,3\na  b,4\n 7,5\n');

    expect([status, body.rejectedCount]).toEqual([201, 0]);
    expect((await idsOf(body.id)).map(([id]) => id)).toEqual(['a', 'A', 'a b', 'a  b', ' 7']);
  });
});

describe('a column id that has no ids', () => {
  it.each([
    ['CSV', 'x.csv', 'id,text\n,a\n,b\n'],
    ['JSON', 'x.json', '[{"id":null,"text":"a"},{"id":"","text":"b"}]'],
    ['JSONL', 'x.jsonl', '{"id":{"$oid":"1"},"text":"a"}\n{"id":[],"text":"b"}\n'],
  ])('leaves rows their places, and is told: %s', async (_name, name, file) => {
    const { status, body } = await post(name, file);

    expect([status, body.customIdField, body.rejectedCount]).toEqual([201, null, 0]);
    expect(body.warnings).toContainEqual(expect.stringMatching(/^No row has a custom id in "id"/));
    expect((await idsOf(body.id)).map(([id]) => id)).toEqual(['0', '1']);
  });

  const many = (count: number) => Array.from({ length: count }, (_, at) => at);

  it.each([
    [
      'CSV',
      'x.csv',
      `id,text\n${many(200)
        .map((at) => `,t${at}\n`)
        .join('')}7,t\n`,
    ],
    [
      'JSON',
      'x.json',
      JSON.stringify([...many(200).map((at) => ({ text: `t${at}` })), { id: 7, text: 't' }]),
    ],
    [
      'JSONL',
      'x.jsonl',
      `${many(200)
        .map((at) => `{"id":null,"text":"t${at}"}\n`)
        .join('')}{"id":"7","text":"t"}`,
    ],
  ])('refuses the file where one comes after all: %s', async (_name, name, file) => {
    const { status, body } = await post(name, file);

    expect(status).toBe(400);
    expect(body.error.message).toMatch(/^Row 201 has a custom id in "id", and the rows before it/);
    expect((await post(name, file, '&customIdField=')).status).toBe(201);
  });
});
